package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/leeward-ctem/leeward/exposure"
)

// MaxAttempts is how often a shard is given out before it counts as failed.
const MaxAttempts = 5

// PutPlan keeps a plan; one without a number gets one.
func (db *DB) PutPlan(ctx context.Context, p *exposure.ScanPlan) error {
	return db.Write(ctx, func(tx *Tx) error { return tx.PutPlan(ctx, p) })
}

// PutPlan keeps a plan; one without a number gets one.
func (tx *Tx) PutPlan(ctx context.Context, p *exposure.ScanPlan) (err error) {
	fresh := p.ID == 0
	if fresh {
		if p.ID, err = tx.next(ctx, "scan_plan", "id"); err != nil {
			return err
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if fresh {
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO scan_plan (id, next, body) VALUES ($1, $2, $3)", p.ID, p.Next, string(body))
		return err
	}
	return changed(tx.tx.ExecContext(ctx, "UPDATE scan_plan SET next = $1, body = $2 WHERE id = $3", p.Next, string(body), p.ID))(exposure.Errorf(exposure.NotFound, "there is no plan %d", p.ID))
}

// changed returns what to say when a statement changed nothing.
func changed(r sql.Result, err error) func(otherwise error) error {
	return func(otherwise error) error {
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return otherwise
	}
}

// RemovePlan forgets a plan. Its jobs stay.
func (db *DB) RemovePlan(ctx context.Context, id int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		if err := tx.keepFloor(ctx, "scan_plan", "id"); err != nil {
			return err
		}
		return changed(tx.tx.ExecContext(ctx, "DELETE FROM scan_plan WHERE id = $1", id))(exposure.Errorf(exposure.NotFound, "there is no plan %d", id))
	})
}

// Plans returns all plans.
func (db *DB) Plans(ctx context.Context) ([]exposure.ScanPlan, error) { return plans(ctx, db.read) }

// Plans returns all plans as the transaction sees them.
func (tx *Tx) Plans(ctx context.Context) ([]exposure.ScanPlan, error) { return plans(ctx, tx.tx) }

func plans(ctx context.Context, q querier) (all []exposure.ScanPlan, err error) {
	err = each(ctx, q, "SELECT body FROM scan_plan ORDER BY id", nil, func(rows *sql.Rows) error {
		var p exposure.ScanPlan
		err := scanJSON(rows, &p)
		all = append(all, p)
		return err
	})
	return all, explain(err)
}

func scanJSON(rows *sql.Rows, into any) error {
	var body []byte
	if err := rows.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// AddJob begins a job, with a shard for each list of targets.
func (db *DB) AddJob(ctx context.Context, j *exposure.ScanJob, shards [][]string) error {
	return db.Write(ctx, func(tx *Tx) error { return tx.AddJob(ctx, j, shards) })
}

// AddJob begins a job, with a shard for each list of targets.
func (tx *Tx) AddJob(ctx context.Context, j *exposure.ScanJob, shards [][]string) (err error) {
	if len(shards) == 0 {
		return exposure.Errorf(exposure.Invalid, "the scan has no targets")
	}
	if j.ID, err = tx.next(ctx, "scan_job", "id"); err != nil {
		return err
	}
	j.State, j.Shards = exposure.JobWaiting, len(shards)
	body, err := json.Marshal(&j.Plan)
	if err != nil {
		return err
	}
	_, err = tx.tx.ExecContext(ctx, "INSERT INTO scan_job (id, plan, state, vantage, created, started, finished, cause, failure, body) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, '', $7)",
		j.ID, j.Plan.ID, string(j.State), j.Plan.Vantage, j.Created, j.Cause, string(body))
	if err != nil {
		return err
	}
	for n, targets := range shards {
		list, err := json.Marshal(targets)
		if err != nil {
			return err
		}
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO scan_shard (job, number, state, targets, agent, worker, fence, until, attempts, started, finished, progress, failure, created, found) VALUES ($1, $2, $3, $4, 0, '', 0, 0, 0, 0, 0, '', '', 0, 0)",
			j.ID, n+1, string(exposure.JobWaiting), string(list))
		if err != nil {
			return err
		}
	}
	return nil
}

const jobColumns = "j.id, j.state, j.cause, j.created, j.started, j.finished, j.failure, j.body, (SELECT CAST(COUNT(*) AS BIGINT) FROM scan_shard s WHERE s.job = j.id), (SELECT CAST(COUNT(*) AS BIGINT) FROM scan_shard s WHERE s.job = j.id AND s.finished <> 0)"

func scanJob(rows *sql.Rows) (j exposure.ScanJob, err error) {
	var body []byte
	if err := rows.Scan(&j.ID, &j.State, &j.Cause, &j.Created, &j.Started, &j.Finished, &j.Failure, &body, &j.Shards, &j.Ended); err != nil {
		return j, err
	}
	return j, json.Unmarshal(body, &j.Plan)
}

// ScanJobs returns the newest jobs; open: only those that have not ended.
func (db *DB) ScanJobs(ctx context.Context, open bool, limit int) (all []exposure.ScanJob, err error) {
	return scanJobs(ctx, db.read, open, limit)
}

// ScanJobs returns the newest jobs as the transaction sees them.
func (tx *Tx) ScanJobs(ctx context.Context, open bool, limit int) (all []exposure.ScanJob, err error) {
	return scanJobs(ctx, tx.tx, open, limit)
}

func scanJobs(ctx context.Context, q querier, open bool, limit int) (all []exposure.ScanJob, err error) {
	where := ""
	if open {
		where = " WHERE j.finished = 0"
	}
	err = each(ctx, q, "SELECT "+jobColumns+" FROM scan_job j"+where+" ORDER BY j.id DESC LIMIT $1", []any{limit}, func(rows *sql.Rows) error {
		j, err := scanJob(rows)
		all = append(all, j)
		return err
	})
	return all, explain(err)
}

// ScanJob returns one job and its shards.
func (db *DB) ScanJob(ctx context.Context, id int64) (j exposure.ScanJob, shards []exposure.Shard, err error) {
	err = each(ctx, db.read, "SELECT "+jobColumns+" FROM scan_job j WHERE j.id = $1", []any{id}, func(rows *sql.Rows) error {
		j, err = scanJob(rows)
		return err
	})
	if err == nil && j.ID == 0 {
		return j, nil, exposure.Errorf(exposure.NotFound, "there is no scan job %d", id)
	}
	if err == nil {
		shards, err = shardsWhere(ctx, db.read, "job = $1", id)
	}
	return j, shards, explain(err)
}

const shardColumns = "job, number, state, targets, agent, worker, fence, until, attempts, started, finished, progress, failure, created, found"

func shardsWhere(ctx context.Context, q querier, where string, args ...any) (all []exposure.Shard, err error) {
	err = each(ctx, q, "SELECT "+shardColumns+" FROM scan_shard WHERE "+where+" ORDER BY job, number", args, func(rows *sql.Rows) error {
		var s exposure.Shard
		var targets []byte
		if err := rows.Scan(&s.Job, &s.Number, &s.State, &targets, &s.Agent, &s.Worker, &s.Fence, &s.Until, &s.Attempts, &s.Started, &s.Finished, &s.Progress, &s.Failure, &s.New, &s.Found); err != nil {
			return err
		}
		if err := json.Unmarshal(targets, &s.Targets); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// ShardsOpen reports whether there is any shard that has not ended: a look that
// takes no lock.
func (db *DB) ShardsOpen(ctx context.Context) (bool, error) {
	var n int
	err := db.read.QueryRowContext(ctx, "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM scan_shard WHERE finished = 0 LIMIT 1) AS open").Scan(&n)
	return n > 0, explain(err)
}

// LeaseShard gives a worker the next shard that it may look at, until a time;
// ok is false when there is none. Jobs take turns: the one with the fewest
// shards in work comes first, so a large one holds up no other.
func (db *DB) LeaseShard(ctx context.Context, agent int64, worker string, vantages []string, now, until int64) (j exposure.ScanJob, s exposure.Shard, ok bool, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		ok = false
		jobs, err := tx.ScanJobs(ctx, true, 10_000)
		if err != nil {
			return err
		}
		open, err := shardsWhere(ctx, tx.tx, "finished = 0")
		if err != nil {
			return err
		}
		busy, free := map[int64]int{}, map[int64]exposure.Shard{}
		for _, s := range open {
			if s.State == exposure.JobRunning && s.Until > now {
				busy[s.Job]++
				continue
			}
			if s.Attempts >= MaxAttempts {
				if err := tx.endShard(ctx, &s, exposure.JobFailed, fmt.Sprintf("given up: %d workers took it and were not heard again", s.Attempts), now); err != nil {
					return err
				}
				continue
			}
			if _, taken := free[s.Job]; !taken {
				free[s.Job] = s
			}
		}
		best := -1
		for i := len(jobs) - 1; i >= 0; i-- { // the oldest first
			if _, has := free[jobs[i].ID]; has && slices.Contains(vantages, jobs[i].Plan.Vantage) && (best < 0 || busy[jobs[i].ID] < busy[jobs[best].ID]) {
				best = i
			}
		}
		if best < 0 {
			return nil
		}
		j, s, ok = jobs[best], free[jobs[best].ID], true
		s.State, s.Agent, s.Worker, s.Until, s.Started = exposure.JobRunning, agent, worker, until, now
		s.Fence++
		s.Attempts++
		_, err = tx.tx.ExecContext(ctx, "UPDATE scan_shard SET state = $1, agent = $2, worker = $3, fence = $4, until = $5, attempts = $6, started = $7, progress = '' WHERE job = $8 AND number = $9",
			string(s.State), s.Agent, s.Worker, s.Fence, s.Until, s.Attempts, s.Started, s.Job, s.Number)
		if err == nil {
			_, err = tx.tx.ExecContext(ctx, "DELETE FROM scan_upload WHERE job = $1 AND number = $2 AND fence < $3", s.Job, s.Number, s.Fence)
		}
		if err == nil && j.Started == 0 {
			j.State, j.Started = exposure.JobRunning, now
			_, err = tx.tx.ExecContext(ctx, "UPDATE scan_job SET state = $1, started = $2 WHERE id = $3", string(j.State), now, j.ID)
		}
		return err
	})
	return j, s, ok, err
}

// errLost says that a lease is not the current one any more.
func errLost(h exposure.ShardLease) error {
	return exposure.Errorf(exposure.Conflict, "shard %d of scan job %d is not yours any more: it was stopped, or given to another when you were not heard", h.Number, h.Job)
}

// RenewShards makes leases longer and returns those that are lost.
func (db *DB) RenewShards(ctx context.Context, agent int64, held []exposure.ShardLease, until int64) (lost []exposure.ShardLease, err error) {
	if len(held) == 0 {
		return nil, nil
	}
	err = db.Write(ctx, func(tx *Tx) error {
		lost = nil
		for _, h := range held {
			r, err := tx.tx.ExecContext(ctx, "UPDATE scan_shard SET until = $1, progress = $2 WHERE job = $3 AND number = $4 AND fence = $5 AND agent = $6 AND state = $7",
				until, h.Progress, h.Job, h.Number, h.Fence, agent, string(exposure.JobRunning))
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				lost = append(lost, h)
			}
		}
		return nil
	})
	return lost, err
}

// holds returns the shard of a lease that is still the current one.
func (tx *Tx) holds(ctx context.Context, agent int64, h exposure.ShardLease) (exposure.Shard, error) {
	all, err := shardsWhere(ctx, tx.tx, "job = $1 AND number = $2 AND fence = $3 AND agent = $4 AND state = $5", h.Job, h.Number, h.Fence, agent, string(exposure.JobRunning))
	if err != nil {
		return exposure.Shard{}, err
	}
	if len(all) == 0 {
		return exposure.Shard{}, errLost(h)
	}
	return all[0], nil
}

// maxUpload bounds the results of one shard, compressed.
const maxUpload = 512 << 20

// Upload keeps a part of a shard's results that begins at a place, and returns
// how much there is. A part that was kept before changes nothing; one that
// leaves a gap is refused, and tells where to go on.
func (db *DB) Upload(ctx context.Context, agent int64, h exposure.ShardLease, place int64, body []byte) (size int64, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.holds(ctx, agent, h); err != nil {
			return err
		}
		err := tx.tx.QueryRowContext(ctx, "SELECT CAST(COALESCE(MAX(place + size), 0) AS BIGINT) FROM scan_upload WHERE job = $1 AND number = $2 AND fence = $3", h.Job, h.Number, h.Fence).Scan(&size)
		switch {
		case err != nil:
			return err
		case place != size || len(body) == 0:
			return nil
		case size+int64(len(body)) > maxUpload:
			return exposure.Errorf(exposure.Invalid, "the results of a shard have more than %d MiB: make shards smaller", maxUpload>>20)
		}
		size += int64(len(body))
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO scan_upload (job, number, fence, place, size, body) VALUES ($1, $2, $3, $4, $5, $6)", h.Job, h.Number, h.Fence, place, len(body), body)
		return err
	})
	return size, err
}

// Uploaded calls f with the parts of what was uploaded for a lease, in order.
func (db *DB) Uploaded(ctx context.Context, h exposure.ShardLease, f func([]byte) error) error {
	for place := int64(0); ; {
		var body []byte
		err := db.read.QueryRowContext(ctx, "SELECT body FROM scan_upload WHERE job = $1 AND number = $2 AND fence = $3 AND place = $4", h.Job, h.Number, h.Fence, place).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return explain(err)
		}
		if err := f(body); err != nil {
			return err
		}
		place += int64(len(body))
	}
}

// Holds says whether a lease is the current one; it is a Conflict when not.
func (db *DB) Holds(ctx context.Context, agent int64, h exposure.ShardLease) (s exposure.Shard, err error) {
	err = db.Write(ctx, func(tx *Tx) error {
		s, err = tx.holds(ctx, agent, h)
		return err
	})
	return s, err
}

// FinishShard records how a shard ended. When it is the last, the job ends.
func (db *DB) FinishShard(ctx context.Context, agent int64, h exposure.ShardLease, state exposure.JobState, failure string, created, found int, now int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		s, err := tx.holds(ctx, agent, h)
		if err != nil {
			return err
		}
		s.New, s.Found = created, found
		return tx.endShard(ctx, &s, state, failure, now)
	})
}

// ReturnShard gives a shard back unfinished, so that another may take it.
func (db *DB) ReturnShard(ctx context.Context, agent int64, h exposure.ShardLease, failure string) error {
	return db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.holds(ctx, agent, h); err != nil {
			return err
		}
		_, err := tx.tx.ExecContext(ctx, "UPDATE scan_shard SET state = $1, until = 0, failure = $2 WHERE job = $3 AND number = $4", string(exposure.JobWaiting), failure, h.Job, h.Number)
		return err
	})
}

func (tx *Tx) endShard(ctx context.Context, s *exposure.Shard, state exposure.JobState, failure string, now int64) error {
	_, err := tx.tx.ExecContext(ctx, "UPDATE scan_shard SET state = $1, failure = $2, finished = $3, until = 0, progress = '', created = $4, found = $5 WHERE job = $6 AND number = $7",
		string(state), failure, now, s.New, s.Found, s.Job, s.Number)
	if err == nil {
		_, err = tx.tx.ExecContext(ctx, "DELETE FROM scan_upload WHERE job = $1 AND number = $2", s.Job, s.Number)
	}
	if err != nil {
		return err
	}
	all, err := shardsWhere(ctx, tx.tx, "job = $1", s.Job)
	if err != nil {
		return err
	}
	end := exposure.JobDone
	why := ""
	for _, other := range all {
		switch {
		case !other.State.Ended():
			return nil
		case other.State == exposure.JobFailed && end == exposure.JobDone:
			end, why = exposure.JobFailed, other.Failure
		case other.State == exposure.JobStopped:
			end, why = exposure.JobStopped, other.Failure
		}
	}
	_, err = tx.tx.ExecContext(ctx, "UPDATE scan_job SET state = $1, failure = $2, finished = $3 WHERE id = $4", string(end), why, now, s.Job)
	return err
}

// StopJob ends a job. What was found before is kept; who works on it learns it
// when it renews its lease.
func (db *DB) StopJob(ctx context.Context, id int64, why string, now int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		open, err := shardsWhere(ctx, tx.tx, "job = $1 AND finished = 0", id)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return exposure.Errorf(exposure.Conflict, "there is no scan job %d that runs or waits", id)
		}
		for i := range open {
			if err := tx.endShard(ctx, &open[i], exposure.JobStopped, why, now); err != nil {
				return err
			}
		}
		return nil
	})
}
