package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/leeward-ctem/leeward/exposure"
)

// Invite keeps the digest of a token with which an agent may enrol once.
func (db *DB) Invite(ctx context.Context, digest, name string, labels []string, actor string, now, expires int64) error {
	list, err := json.Marshal(labels)
	if err != nil {
		return err
	}
	return db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.tx.ExecContext(ctx, "DELETE FROM agent_invitation WHERE expires <= $1", now); err != nil {
			return err
		}
		_, err := tx.tx.ExecContext(ctx, "INSERT INTO agent_invitation (digest, name, labels, created, expires, actor) VALUES ($1, $2, $3, $4, $5, $6)", digest, name, string(list), now, expires, actor)
		return err
	})
}

// Enrol makes an agent of an invitation, which is used up. What the invitation
// names goes over what the agent says of itself.
func (db *DB) Enrol(ctx context.Context, invitation string, a *exposure.Agent, now int64) error {
	return db.Write(ctx, func(tx *Tx) error {
		var name, actor string
		var labels []byte
		err := tx.tx.QueryRowContext(ctx, "SELECT name, labels, actor FROM agent_invitation WHERE digest = $1 AND expires > $2", invitation, now).Scan(&name, &labels, &actor)
		if errors.Is(err, sql.ErrNoRows) {
			return exposure.Errorf(exposure.Forbidden, "the token is not known: it is good once and for a day; make another with `leeward agents invite`")
		}
		if err != nil {
			return err
		}
		if _, err := tx.tx.ExecContext(ctx, "DELETE FROM agent_invitation WHERE digest = $1", invitation); err != nil {
			return err
		}
		if err := json.Unmarshal(labels, &a.Labels); err != nil {
			return err
		}
		if a.Actor, a.Enrolled, a.Seen = actor, now, now; name != "" {
			a.Name = name
		}
		if a.ID, err = tx.next(ctx, "agent", "id"); err != nil {
			return err
		}
		facts, err := json.Marshal(a.Facts)
		if err != nil {
			return err
		}
		_, err = tx.tx.ExecContext(ctx, "INSERT INTO agent (id, name, labels, facts, enrolled, seen, disabled, digest, actor) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
			a.ID, a.Name, string(labels), string(facts), now, now, a.Digest, actor)
		return err
	})
}

const agentColumns = "id, name, labels, facts, enrolled, seen, disabled, digest, actor"

func agentsWhere(ctx context.Context, q querier, where string, args ...any) (all []exposure.Agent, err error) {
	err = each(ctx, q, "SELECT "+agentColumns+" FROM agent WHERE "+where+" ORDER BY id", args, func(rows *sql.Rows) error {
		var a exposure.Agent
		var labels, facts []byte
		var disabled int64
		if err := rows.Scan(&a.ID, &a.Name, &labels, &facts, &a.Enrolled, &a.Seen, &disabled, &a.Digest, &a.Actor); err != nil {
			return err
		}
		a.Disabled = disabled != 0
		all = append(all, a)
		return errors.Join(json.Unmarshal(labels, &all[len(all)-1].Labels), json.Unmarshal(facts, &all[len(all)-1].Facts))
	})
	return all, explain(err)
}

// Agents lists the agents.
func (db *DB) Agents(ctx context.Context) ([]exposure.Agent, error) {
	return agentsWhere(ctx, db.read, "1 = 1")
}

// AgentByDigest finds an agent by the digest of its secret. One that is not
// known, or was shut out, is Forbidden.
func (db *DB) AgentByDigest(ctx context.Context, digest string) (exposure.Agent, error) {
	all, err := agentsWhere(ctx, db.read, "digest = $1", digest)
	switch {
	case err != nil:
		return exposure.Agent{}, err
	case len(all) == 0:
		return exposure.Agent{}, exposure.Errorf(exposure.Forbidden, "this agent is not known: enrol it with a token of `leeward agents invite`")
	case all[0].Disabled:
		return all[0], exposure.Errorf(exposure.Forbidden, "this agent was shut out")
	}
	return all[0], nil
}

// SawAgent records that an agent was heard, and what it says of itself.
func (db *DB) SawAgent(ctx context.Context, id int64, facts map[string]string, now int64) error {
	body, err := json.Marshal(facts)
	if err != nil {
		return err
	}
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.tx.ExecContext(ctx, "UPDATE agent SET seen = $1, facts = $2 WHERE id = $3", now, string(body), id)
		return err
	})
}

// ShutOut locks an agent out, or lets it in again.
func (db *DB) ShutOut(ctx context.Context, id int64, out bool) error {
	return db.Write(ctx, func(tx *Tx) error {
		return changed(tx.tx.ExecContext(ctx, "UPDATE agent SET disabled = $1 WHERE id = $2", truth(out), id))(exposure.Errorf(exposure.NotFound, "there is no agent %d", id))
	})
}
