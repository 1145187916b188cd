package server

import (
	"context"
	"net/http"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// EngagementRow is rules of engagement and how they stand.
type EngagementRow struct {
	exposure.Engagement
	Version int64    `json:"version"`
	Author  string   `json:"author" doc:"who last wrote the rules, and so does not approve them"`
	Digest  string   `json:"digest" doc:"of the rules as they stand; approvals are of one"`
	State   string   `json:"state" enum:"waiting,upcoming,in_force,outside,expired,withdrawn,broken"`
	Against []string `json:"against,omitempty" doc:"why nothing is sent now"`
	Halted  string   `json:"halted,omitempty" doc:"why it is stopped; empty: it is not"`
}

// EngagementDetail is one engagement with what happened to it.
type EngagementDetail struct {
	EngagementRow
	Text       string             `json:"text" doc:"the rules as a file"`
	Challenges []Challenge        `json:"challenges" doc:"public targets that somebody has to prove to own, with what to publish"`
	Changes    []EngagementChange `json:"changes" doc:"newest first"`
}

// Challenge is what shows who owns a target when it is published there.
type Challenge struct {
	Target string `json:"target"`
	Token  string `json:"token"`
	Record string `json:"record,omitempty" doc:"name of the TXT record that holds the token; empty: an address has none"`
	Path   string `json:"path" doc:"or the path of the file that holds it"`
}

// EngagementChange is one change of an engagement.
type EngagementChange struct {
	Version int64  `json:"version"`
	At      int64  `json:"at" doc:"unix milliseconds"`
	Actor   string `json:"actor"`
	What    string `json:"what"`
}

// EngagementRequest writes rules of engagement.
type EngagementRequest struct {
	ID      int64               `json:"-"` // 0: new ones
	Version int64               `json:"version,omitempty" doc:"that the change was made from; 0: whichever it is"`
	Rules   exposure.Engagement `json:"rules" doc:"approvals, proofs and the withdrawal are left out: they are not written"`
	Actor   string              `json:"-"`
}

// EngagementApproval is a person's yes to the rules that he saw.
type EngagementApproval struct {
	ID     int64  `json:"-"`
	Digest string `json:"digest" minLength:"8" maxLength:"64" doc:"of the rules that were read"`
	Actor  string `json:"-"`
}

// EngagementEnd withdraws an engagement for good.
type EngagementEnd struct {
	ID     int64  `json:"-"`
	Reason string `json:"reason,omitempty" maxLength:"2000"`
	Actor  string `json:"-"`
}

// ProofRequest asks for a token to be looked for.
type ProofRequest struct {
	ID     int64  `json:"-"`
	Target string `json:"target" minLength:"1" maxLength:"253" doc:"a name or an address"`
	Actor  string `json:"-"`
}

// ActionQuery is a question to the rules of an engagement.
type ActionQuery struct {
	ID          int64  `path:"id" minimum:"1"`
	Host        string `query:"host" maxLength:"2048" doc:"10.1.2.3:443, a host name or a URL; port 443 when none is stated"`
	Level       string `query:"level" doc:"match, observe, probe or authenticated; observe when left out"`
	Credentials bool   `query:"credentials" doc:"whether a login is tried"`
}

// ActionDecision is what the rules make of it.
type ActionDecision struct {
	Host    string   `json:"host"`
	Port    int      `json:"port"`
	Level   string   `json:"level"`
	Allowed bool     `json:"allowed"`
	Reasons []string `json:"reasons,omitempty" doc:"why not"`
	Note    string   `json:"note,omitempty" doc:"what is decided later"`
}

// Halt is a stop that holds.
type Halt struct {
	Engagement int64  `json:"engagement" doc:"0: all"`
	At         int64  `json:"at" doc:"unix milliseconds"`
	Actor      string `json:"actor"`
	Reason     string `json:"reason"`
}

// HaltRequest stops, or lets go on.
type HaltRequest struct {
	Engagement int64  `json:"engagement,omitempty" minimum:"0" doc:"0: all"`
	Reason     string `json:"reason,omitempty" maxLength:"2000"`
	Actor      string `json:"-"`
}

// AuditQuery asks for a page of the audit log.
type AuditQuery struct {
	Engagement int64 `query:"engagement" minimum:"0" doc:"0: of all"`
	Refused    bool  `query:"refused" doc:"only what was refused"`
	After      int64 `query:"after" minimum:"0" doc:"the next of the page before"`
	Limit      int   `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// AuditRow is one entry of the audit log.
type AuditRow struct {
	ID    int64  `json:"id" doc:"in the order in which entries came here"`
	Chain string `json:"chain" doc:"who wrote it"`
	guard.Entry
}

// AuditPage is a page of the audit log, newest first.
type AuditPage struct {
	Rows []AuditRow `json:"rows"`
	Next int64      `json:"next,omitempty" doc:"for after; 0: that is all"`
}

// AuditChain is one chain of the audit log, and whether it holds.
type AuditChain struct {
	Chain   string `json:"chain"`
	Entries int64  `json:"entries" doc:"that hold, from the first"`
	Head    string `json:"head" doc:"hash of the last that holds: keep it elsewhere, and a log that was cut off is told from a whole one"`
	Error   string `json:"error,omitempty" doc:"what is wrong with the first that does not"`
}

// changed says whether something is new.
type changed struct {
	Changed bool `json:"changed"`
}

type numbered struct {
	ID int64 `path:"id" minimum:"1"`
}

// registerEngagements adds rules of engagement, the stop and the audit log.
func (s *Server) registerEngagements(a operations) {
	register(a, Viewer, "list-engagements", http.MethodGet, "/engagements", "Rules of engagement, newest first", func(ctx context.Context, _ *struct{}) (*list[EngagementRow], error) {
		rows, err := s.Backend.Engagements(ctx)
		return &list[EngagementRow]{rows}, err
	})
	register(a, Viewer, "get-engagement", http.MethodGet, "/engagements/{id}", "One engagement: its rules, how they stand, what has to be proved", func(ctx context.Context, in *numbered) (*EngagementDetail, error) {
		d, err := s.Backend.Engagement(ctx, in.ID)
		return &d, err
	})
	register(a, Operator, "add-engagement", http.MethodPost, "/engagements", "Add rules of engagement, which somebody else approves", func(ctx context.Context, in *struct{ Body EngagementRequest }) (*EngagementDetail, error) {
		in.Body.Actor = ActorOf(ctx).Name
		d, err := s.Backend.PutEngagement(ctx, in.Body)
		return &d, err
	})
	register(a, Operator, "change-engagement", http.MethodPut, "/engagements/{id}", "Change rules of engagement, which voids their approvals", func(ctx context.Context, in *struct {
		numbered
		Body EngagementRequest
	}) (*EngagementDetail, error) {
		in.Body.ID, in.Body.Actor = in.ID, ActorOf(ctx).Name
		d, err := s.Backend.PutEngagement(ctx, in.Body)
		return &d, err
	})
	register(a, Operator, "approve-engagement", http.MethodPost, "/engagements/{id}/approve", "Approve the rules as they stand; not one's own", func(ctx context.Context, in *struct {
		numbered
		Body EngagementApproval
	}) (*struct{}, error) {
		in.Body.ID, in.Body.Actor = in.ID, ActorOf(ctx).Name
		return &struct{}{}, s.Backend.ApproveEngagement(ctx, in.Body)
	})
	register(a, Operator, "withdraw-engagement", http.MethodPost, "/engagements/{id}/withdraw", "Withdraw an engagement for good", func(ctx context.Context, in *struct {
		numbered
		Body EngagementEnd
	}) (*struct{}, error) {
		in.Body.ID, in.Body.Actor = in.ID, ActorOf(ctx).Name
		return &struct{}{}, s.Backend.WithdrawEngagement(ctx, in.Body)
	})
	register(a, Operator, "prove-target", http.MethodPost, "/engagements/{id}/prove", "Look for the token that shows who owns a target", func(ctx context.Context, in *struct {
		numbered
		Body ProofRequest
	}) (*exposure.Proved, error) {
		in.Body.ID, in.Body.Actor = in.ID, ActorOf(ctx).Name
		p, err := s.Backend.ProveTarget(ctx, in.Body)
		return &p, err
	})
	register(a, Viewer, "decide-action", http.MethodGet, "/engagements/{id}/decide", "Would a host be touched, and why not; nothing is sent", func(ctx context.Context, in *struct{ ActionQuery }) (*ActionDecision, error) {
		d, err := s.Backend.DecideAction(ctx, in.ActionQuery)
		return &d, err
	})
	register(a, Viewer, "list-halts", http.MethodGet, "/halts", "The stops that hold", func(ctx context.Context, _ *struct{}) (*list[Halt], error) {
		rows, err := s.Backend.Halts(ctx)
		return &list[Halt]{rows}, err
	})
	register(a, Analyst, "halt", http.MethodPost, "/halt", "Stop everything that is sent, or what one engagement allows", func(ctx context.Context, in *struct{ Body HaltRequest }) (*changed, error) {
		in.Body.Actor = ActorOf(ctx).Name
		done, err := s.Backend.Halt(ctx, in.Body)
		return &changed{done}, err
	})
	register(a, Operator, "resume", http.MethodPost, "/resume", "Lift the stop of all, or of one engagement", func(ctx context.Context, in *struct{ Body HaltRequest }) (*changed, error) {
		in.Body.Actor = ActorOf(ctx).Name
		done, err := s.Backend.Resume(ctx, in.Body)
		return &changed{done}, err
	})
	register(a, Viewer, "list-audit", http.MethodGet, "/audit", "What scans and checks decided and sent, newest first", func(ctx context.Context, in *struct{ AuditQuery }) (*AuditPage, error) {
		p, err := s.Backend.Audit(ctx, in.AuditQuery)
		return &p, err
	})
	register(a, Operator, "verify-audit", http.MethodGet, "/audit/verify", "Whether every chain of the audit log holds", func(ctx context.Context, _ *struct{}) (*list[AuditChain], error) {
		rows, err := s.Backend.VerifyAudit(ctx)
		return &list[AuditChain]{rows}, err
	})
}
