package exposure

// What is scanned, when, and by whom. A plan says what to look at and when; a
// job is one go of it, made of shards that workers and agents lease.

// ScanPlan is something to be scanned, again and again or once.
type ScanPlan struct {
	ID         int64    `json:"id"`
	Name       string   `json:"name"`
	Engagement int64    `json:"engagement"`
	Targets    []string `json:"targets"`
	Engines    []string `json:"engines,omitempty"` // none: all that take the targets
	Level      Level    `json:"level"`
	Ports      string   `json:"ports,omitempty"` // "1-1024,8080"; empty: the usual ones
	Vantage    string   `json:"vantage"`         // label that an agent must have; "here": the server's own
	// Credentials tries default credentials, where the engagement allows it.
	Credentials bool `json:"credentials,omitempty"`

	// Cron says when, in five fields as crontab(5) has them, or @daily and the
	// like, in the zone. Empty: not by the clock.
	Cron string `json:"cron,omitempty"`
	Zone string `json:"zone,omitempty"` // IANA name; empty: UTC
	// Adaptive lets the tier decide how often instead of Cron: the crown jewels
	// each day, the rest by their tier.
	Adaptive bool `json:"adaptive,omitempty"`
	// On are the changes that cause a scan at once: "asset" (a new asset that the
	// targets hold), "deploy" (a call of the deployment hook).
	On []string `json:"on,omitempty"`

	// Assets is the number of the newest asset that was looked at for On.
	Assets AssetID `json:"assets,omitempty"`

	Paused  bool   `json:"paused,omitempty"`
	Actor   string `json:"actor"` // who made it
	Created int64  `json:"created"`
	Last    int64  `json:"last,omitempty"` // when it was last due, unix milliseconds
	Next    int64  `json:"next,omitempty"` // when it is due; 0: not by the clock
}

// JobState is how far a job or a shard is.
type JobState string

// The states of jobs and shards.
const (
	JobWaiting JobState = "waiting"
	JobRunning JobState = "running"
	JobDone    JobState = "done"
	JobFailed  JobState = "failed"  // some or all of it could not be looked at
	JobStopped JobState = "stopped" // by a person
)

// Ended reports whether nothing more happens.
func (s JobState) Ended() bool { return s == JobDone || s == JobFailed || s == JobStopped }

// ScanJob is one go of a plan, or one that somebody asked for once (plan 0).
type ScanJob struct {
	ID       int64    `json:"id"`
	Plan     ScanPlan `json:"plan"` // as it was then
	State    JobState `json:"state"`
	Cause    string   `json:"cause"` // schedule, asset, deploy, or who asked
	Created  int64    `json:"created"`
	Started  int64    `json:"started,omitempty"`
	Finished int64    `json:"finished,omitempty"`
	Shards   int      `json:"shards"`
	Ended    int      `json:"ended"` // shards that are done, failed or stopped
	Failure  string   `json:"failure,omitempty"`
}

// Shard is a part of a job that one worker looks at.
type Shard struct {
	Job      int64    `json:"job"`
	Number   int      `json:"number"`
	Targets  []string `json:"targets"`
	State    JobState `json:"state"`
	Agent    int64    `json:"agent,omitempty"` // who has it, or had it last; 0: the server's own
	Worker   string   `json:"worker,omitempty"`
	Fence    int64    `json:"fence"` // grows with each lease: results of an older one are refused
	Until    int64    `json:"until"` // of the lease, unix milliseconds
	Attempts int      `json:"attempts"`
	Started  int64    `json:"started,omitempty"`
	Finished int64    `json:"finished,omitempty"`
	Progress string   `json:"progress,omitempty"`
	Failure  string   `json:"failure,omitempty"`
	New      int      `json:"new"`   // findings made
	Found    int      `json:"found"` // weaknesses stated
}

// ShardLease names a lease of a shard.
type ShardLease struct {
	Job      int64  `json:"job"`
	Number   int    `json:"number"`
	Fence    int64  `json:"fence"`
	Progress string `json:"progress,omitempty" maxLength:"500"` // how far it is, for people
}

// Lease returns the shard's lease.
func (s *Shard) Lease() ShardLease { return ShardLease{Job: s.Job, Number: s.Number, Fence: s.Fence} }

// Agent is a scanner in another network.
type Agent struct {
	ID       int64             `json:"id"`
	Name     string            `json:"name"`
	Labels   []string          `json:"labels"`          // vantages it looks from: "dmz", "office"
	Facts    map[string]string `json:"facts,omitempty"` // version, os, arch, addresses: what it says of itself
	Enrolled int64             `json:"enrolled"`
	Seen     int64             `json:"seen,omitempty"`
	Disabled bool              `json:"disabled,omitempty"`
	Digest   string            `json:"-"` // of its secret
	Actor    string            `json:"actor"`
}
