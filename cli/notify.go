package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/leeward-ctem/leeward/builtin"
	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/index"
	"github.com/leeward-ctem/leeward/mobilize"
	"github.com/leeward-ctem/leeward/server"
	"github.com/leeward-ctem/leeward/store"
)

// message is the body of a notice: what happened, how often, and the worst of
// the findings it speaks of.
type message struct {
	Event    exposure.Notice     `json:"event"`
	At       string              `json:"at"` // RFC 3339
	Text     string              `json:"text"`
	Count    int                 `json:"count"`
	Findings []server.FindingRow `json:"findings,omitempty"` // at most 20, the riskiest
	Alerts   []exposure.Alert    `json:"alerts,omitempty"`   // of intelligence, at most 10
}

// noticed is the key of the last event that notices were made of.
const noticed = "noticed"

// notice looks at what happened since it last did, and puts one message for
// each sort of event and receiver into the outbox. The place up to which it
// looked is kept in the same transaction, so nothing is told twice or never.
func (a *app) notice(ctx context.Context) error {
	p, _ := a.inForce()
	v := a.ix.View()
	text, err := a.db.Meta(ctx, noticed)
	if err != nil {
		return err
	}
	since, _ := strconv.ParseInt(text, 10, 64)
	if text == "" {
		since = v.Seq() // what was there before nobody waits for
	}
	if text != "" && since >= v.Seq() {
		return nil
	}
	happened := map[exposure.Notice][]index.Row{}
	if len(p.Webhooks) > 0 {
		if err := a.happened(ctx, v, since, happened); err != nil {
			return err
		}
	}
	var messages []exposure.OutboxMessage
	for _, kind := range exposure.Notices() {
		rows := happened[kind]
		if len(rows) == 0 {
			continue
		}
		body, err := a.message(ctx, v, kind, rows)
		if err != nil {
			return err
		}
		for _, w := range p.Webhooks {
			if slices.Contains(w.Events, kind) {
				messages = append(messages, exposure.OutboxMessage{
					Key: fmt.Sprintf("%s/%s/%d", w.Name, kind, v.Seq()), Connector: "webhook", Target: w.Name, Body: body,
					NextAt: a.now().UnixMilli(), CreatedAt: a.now().UnixMilli(),
				})
			}
		}
	}
	return a.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SetMeta(ctx, noticed, strconv.FormatInt(v.Seq(), 10)); err != nil {
			return err
		}
		return tx.Post(ctx, messages...)
	})
}

// happened sorts the open findings that events speak of by what people want
// to know of them.
func (a *app) happened(ctx context.Context, v *index.View, since int64, to map[exposure.Notice][]index.Row) error {
	return a.db.Events(ctx, since, func(e *exposure.Event) error {
		if e.Seq > v.Seq() || e.Kind != exposure.EventOpened && e.Kind != exposure.EventMoved {
			return nil
		}
		ids := e.IDs
		if ids == nil {
			for id := e.First; id <= e.Last; id++ {
				ids = append(ids, id)
			}
		}
		for _, id := range ids {
			r, ok := v.Row(exposure.FindingID(id))
			if !ok || !r.Status.Open() {
				continue
			}
			if asset := v.Asset(r.Asset); asset == nil || asset.Context.Excluded || asset.Demo {
				continue
			}
			if e.Kind == exposure.EventMoved && e.From == exposure.StatusVerified {
				to[exposure.NoticeRegression] = append(to[exposure.NoticeRegression], r)
			}
			if e.Kind != exposure.EventOpened {
				continue
			}
			if v.Advisory(r.Advisory).Threat.KEV() {
				to[exposure.NoticeKEV] = append(to[exposure.NoticeKEV], r)
			}
			if r.Band == exposure.BandCritical {
				to[exposure.NoticeCritical] = append(to[exposure.NoticeCritical], r)
			}
		}
		return nil
	})
}

func (a *app) message(ctx context.Context, v *index.View, kind exposure.Notice, rows []index.Row) (string, error) {
	slices.SortStableFunc(rows, func(x, y index.Row) int { return cmp.Or(cmp.Compare(y.Risk, x.Risk), cmp.Compare(x.ID, y.ID)) })
	worst, err := a.rows(ctx, v, rows[:min(len(rows), 20)])
	if err != nil {
		return "", err
	}
	texts := map[exposure.Notice]string{
		exposure.NoticeKEV:        "new findings are of weaknesses known to be exploited",
		exposure.NoticeCritical:   "new findings are in the critical band",
		exposure.NoticeRegression: "findings that were verified as fixed are back",
		exposure.NoticeOverdue:    "findings are past their due date since today",
	}
	body, err := json.Marshal(message{Event: kind, At: a.now().UTC().Format(time.RFC3339), Text: fmt.Sprintf("%d %s", len(rows), texts[kind]), Count: len(rows), Findings: worst})
	return string(body), err
}

// overdue tells once a day which findings passed their due date.
func (a *app) overdue(ctx context.Context) error {
	p, _ := a.inForce()
	v, today := a.ix.View(), a.today()
	var late []index.Row
	err := v.All(exposure.Filter{}, today, func(r index.Row) bool {
		asset := v.Asset(r.Asset)
		if r.Due+1 == today && r.Due != exposure.NoDue && asset != nil && !asset.Context.Excluded && !asset.Demo {
			late = append(late, r)
		}
		return true
	})
	if err != nil || len(late) == 0 {
		return err
	}
	body, err := a.message(ctx, v, exposure.NoticeOverdue, late)
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *store.Tx) error {
		for _, w := range p.Webhooks {
			if !slices.Contains(w.Events, exposure.NoticeOverdue) {
				continue
			}
			m := exposure.OutboxMessage{Key: fmt.Sprintf("%s/%s/%s", w.Name, exposure.NoticeOverdue, dayText(today)), Connector: "webhook", Target: w.Name, Body: body, NextAt: a.now().UnixMilli(), CreatedAt: a.now().UnixMilli()}
			if err := tx.Post(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// Outbox lists the newest messages to the outside.
func (a *app) Outbox(ctx context.Context, limit int) ([]exposure.OutboxMessage, error) {
	return a.db.Messages(ctx, limit)
}

// Resend tries a message again that was given up.
func (a *app) Resend(ctx context.Context, id int64) error {
	return a.db.Resend(ctx, id, a.now().UnixMilli())
}

// deliver sends what waits in the outbox.
func (a *app) deliver(ctx context.Context) error {
	d := mobilize.Deliverer{
		Outbox: a.db, Connectors: builtin.Connectors(), Client: a.http, Now: a.now, Jitter: rand.Float64,
		Receivers: func(_, target string) (mobilize.Receiver, bool) {
			p, _ := a.inForce()
			for _, w := range p.Webhooks {
				if w.Name == target {
					return mobilize.Receiver{Name: w.Name, URL: w.URL, Secret: a.env(w.SecretEnv)}, true
				}
			}
			return mobilize.Receiver{}, false
		},
	}
	sent, failed, err := d.Deliver(ctx)
	if sent+failed > 0 {
		a.log.Info("messages delivered", slog.Int("sent", sent), slog.Int("failed", failed))
	}
	return err
}
