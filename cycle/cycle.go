// Package cycle runs the loop: named tasks on a schedule or on demand, as jobs
// in the same database as everything else, so that they survive restarts, are
// shared by several servers and can be enqueued in the transaction that makes
// them necessary. A task that fails is retried with growing pauses and never
// holds up another.
package cycle

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/leeward-ctem/leeward/exposure"
)

// Task is one thing that the loop does again and again.
type Task struct {
	Name  string        // stable: it is stored with the job
	Title string        // for people
	Every time.Duration // 0: only on demand
	Limit time.Duration // the longest it may run; 0: five minutes
	// Do does the work. It may run again after a crash in the middle, so doing
	// it twice is the same as doing it once.
	Do func(ctx context.Context) error
}

// Cycle runs tasks.
type Cycle struct {
	client *river.Client[*sql.Tx]
	tasks  map[string]Task
	order  []Task
}

// work is the one kind of job: it names a task.
type work struct {
	Task string `json:"task" river:"unique"`
}

// Kind is the name of the job kind in the database.
func (work) Kind() string { return "task" }

// waiting are the states in which a second request for a task adds nothing.
var waiting = []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled}

func uniquely() *river.InsertOpts {
	return &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: waiting}}
}

// New prepares the job tables and a runner. db is the database's write handle;
// pool is set when it is PostgreSQL.
func New(ctx context.Context, db *sql.DB, pool *pgxpool.Pool, log *slog.Logger, tasks ...Task) (*Cycle, error) {
	c := &Cycle{tasks: map[string]Task{}, order: tasks}
	config := &river.Config{
		Logger:            quiet(log),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: max(4, len(tasks))}},
		FetchPollInterval: time.Second,
		JobTimeout:        5 * time.Minute,
		MaxAttempts:       8,
		Workers:           river.NewWorkers(),
	}
	for _, t := range tasks {
		if _, taken := c.tasks[t.Name]; taken {
			return nil, fmt.Errorf("two tasks are named %q", t.Name)
		}
		c.tasks[t.Name] = t
		if t.Every > 0 {
			name := t.Name
			config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(t.Every),
				func() (river.JobArgs, *river.InsertOpts) { return work{name}, uniquely() }, &river.PeriodicJobOpts{RunOnStart: true}))
		}
	}
	river.AddWorker(config.Workers, &worker{tasks: c.tasks})
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(db)
	if pool != nil {
		driver = riverdatabasesql.NewWithPgxListener(db, pool)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet(log)})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("prepare the job tables: %w", err)
	}
	if c.client, err = river.NewClient(driver, config); err != nil {
		return nil, err
	}
	return c, nil
}

// Start begins to run tasks; the context ends them hard, Stop softly.
func (c *Cycle) Start(ctx context.Context) error { return c.client.Start(ctx) }

// Stop lets running tasks end, until ctx does.
func (c *Cycle) Stop(ctx context.Context) error {
	err := c.client.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return c.client.StopAndCancel(context.WithoutCancel(ctx))
	}
	return err
}

// Request asks for a task to run soon. A task that waits or runs already is
// not asked for twice.
func (c *Cycle) Request(ctx context.Context, task string) error {
	if _, ok := c.tasks[task]; !ok {
		return exposure.Errorf(exposure.NotFound, "there is no task %q", task)
	}
	_, err := c.client.Insert(ctx, work{task}, uniquely())
	return err
}

// RequestIn asks for a task within a transaction: when it commits the task
// will run, when it does not it never was asked for.
func (c *Cycle) RequestIn(ctx context.Context, tx *sql.Tx, task string) error {
	_, err := c.client.InsertTx(ctx, tx, work{task}, uniquely())
	return err
}

// worker runs the task that a job names.
type worker struct {
	river.WorkerDefaults[work]
	tasks map[string]Task
}

// Work runs one job.
func (w *worker) Work(ctx context.Context, job *river.Job[work]) error {
	t, ok := w.tasks[job.Args.Task]
	if !ok {
		return river.JobCancel(fmt.Errorf("this binary has no task %q", job.Args.Task))
	}
	return t.Do(ctx)
}

// Timeout is how long a job may run.
func (w *worker) Timeout(job *river.Job[work]) time.Duration { return w.tasks[job.Args.Task].Limit }

// NextRetry is when a failed job runs again: after 10 s, 40 s, 90 s … at most
// an hour. What follows a schedule comes again by itself anyway.
func (w *worker) NextRetry(job *river.Job[work]) time.Time {
	wait := time.Duration(job.Attempt*job.Attempt) * 10 * time.Second
	return time.Now().Add(min(wait, time.Hour))
}

// Job is one run of a task, past or to come.
type Job struct {
	ID       int64     `json:"id"`
	Task     string    `json:"task"`
	Title    string    `json:"title"`
	State    string    `json:"state"` // available, running, retryable, scheduled, completed, cancelled, discarded
	Attempt  int       `json:"attempt"`
	Attempts int       `json:"attempts"` // at most
	At       time.Time `json:"at"`       // when it runs, or ran
	Ended    time.Time `json:"ended,omitzero"`
	Error    string    `json:"error,omitempty"` // of the last attempt
}

// Jobs returns the newest jobs, at most limit.
func (c *Cycle) Jobs(ctx context.Context, limit int) ([]Job, error) {
	res, err := c.client.JobList(ctx, river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit))
	if err != nil {
		return nil, err
	}
	jobs := make([]Job, 0, len(res.Jobs))
	for _, row := range res.Jobs {
		jobs = append(jobs, c.job(row))
	}
	return jobs, nil
}

// failedShown is how many failed jobs are counted at most.
const failedShown = 100

// Failed counts the jobs that failed and wait to be tried again, or were given
// up; at most 100.
func (c *Cycle) Failed(ctx context.Context) (int, error) {
	res, err := c.client.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRetryable, rivertype.JobStateDiscarded).First(failedShown))
	if err != nil {
		return 0, err
	}
	return len(res.Jobs), nil
}

func (c *Cycle) job(row *rivertype.JobRow) Job {
	var args work
	_ = json.Unmarshal(row.EncodedArgs, &args) // a job of another version shows without a name
	j := Job{ID: row.ID, Task: args.Task, Title: c.tasks[args.Task].Title, State: string(row.State), Attempt: row.Attempt, Attempts: row.MaxAttempts, At: row.ScheduledAt}
	if row.AttemptedAt != nil {
		j.At = *row.AttemptedAt
	}
	if row.FinalizedAt != nil {
		j.Ended = *row.FinalizedAt
	}
	if n := len(row.Errors); n > 0 {
		j.Error = row.Errors[n-1].Error
	}
	return j
}

// Retry runs a job again now.
func (c *Cycle) Retry(ctx context.Context, id int64) error {
	_, err := c.client.JobRetry(ctx, id)
	if errors.Is(err, rivertype.ErrNotFound) {
		return exposure.Errorf(exposure.NotFound, "there is no job %d", id)
	}
	return err
}

// Tasks returns the tasks in their order.
func (c *Cycle) Tasks() []Task { return c.order }

// quiet passes on warnings and errors of the job library only.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(warnings{log.Handler()})
}

type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}
func (h warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{h.Handler.WithAttrs(a)} }
func (h warnings) WithGroup(g string) slog.Handler      { return warnings{h.Handler.WithGroup(g)} }
