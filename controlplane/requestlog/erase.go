package requestlog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Erasure says whose requests are to go.
type Erasure struct {
	// User or Key is whose; one of them is set.
	User, Key string
	// Before limits the requests to those received earlier. It is cut to the
	// quarter of an hour, since roll-ups know no less.
	Before time.Time
	// Pseudonymise keeps the rows, without what leads to a person.
	Pseudonymise bool
}

// Erased is what an erasure has done, or in a dry run would do.
type Erased struct {
	Rows, Contents int64
	// Next is where to go on; zero when everything is done.
	Next time.Time
}

// EraseTime is for how long events that arrive after an erasure are erased, too.
const EraseTime = 30 * 24 * time.Hour

// eraseChunk is how many rows go in one transaction, during which inserts wait.
const eraseChunk = 1000

// subject returns the column that the erasure is about, with its value.
func (e *Erasure) subject() (kind, name string, err error) {
	switch {
	case (e.User == "") == (e.Key == ""):
		return "", "", fmt.Errorf("%w: either a user or a key must be given", ErrRejected)
	case e.Before.IsZero():
		return "", "", fmt.Errorf("%w: an erasure without a time", ErrRejected)
	case e.User != "":
		return "user", e.User, nil
	}
	return "key", e.Key, nil
}

// Erase implements Store. It works on one chunk after another from a moment on,
// until all is done or ctx ends: each is one transaction, so that it may be
// stopped at any time, and begun again.
func (l *log) Erase(ctx context.Context, in Erasure, from time.Time) (done Erased, err error) {
	kind, name, err := in.subject()
	if err != nil {
		return done, err
	}
	in.Before = in.Before.UTC().Truncate(slotTime)
	e := eraser{log: l, Erasure: in, column: kind + "_id", name: name}
	if err := e.record(ctx, kind); err != nil {
		return done, fmt.Errorf("erase: %w", err)
	}
	if err := e.run(ctx, from, &done); err != nil {
		return done, fmt.Errorf("erase: %w", err)
	}
	return done, nil
}

// eraser is an erasure at work.
type eraser struct {
	*log
	Erasure
	column, name string
	// pseudonym stands for the name; "" removes.
	pseudonym string
}

// record writes the erasure down before anything is done, or finds it: a repetition
// has the pseudonym of the first.
func (e *eraser) record(ctx context.Context, kind string) error {
	pseudonym := ""
	if e.Pseudonymise {
		pseudonym = "erased-" + strings.ToLower(rand.Text())
	}
	before, now := isoTime(e.Before), isoTime(time.Now())
	_, err := e.db.Write(ctx, database.SQL(`INSERT INTO api_erasures (kind, name, before, pseudonym, asked_at, row_count) VALUES ($1, $2, `+e.d.moment("$3")+`, $4, `+e.d.moment("$5")+`, 0)
		ON CONFLICT (kind, name) DO UPDATE SET before = CASE WHEN api_erasures.before < excluded.before THEN excluded.before ELSE api_erasures.before END, asked_at = excluded.asked_at,
		pseudonym = CASE WHEN (api_erasures.pseudonym = '') = (excluded.pseudonym = '') THEN api_erasures.pseudonym ELSE excluded.pseudonym END`, kind, e.name, before, pseudonym, now))
	if err != nil {
		return err
	}
	found, err := e.texts(ctx, "SELECT pseudonym FROM api_erasures WHERE kind = $1 AND name = $2", kind, e.name)
	if err != nil {
		return err
	}
	e.pseudonym = orEmpty(found[0][0])
	return nil
}

// run goes through the days. Rows go first: what roll-ups have left then is of
// rows that are gone already.
func (e *eraser) run(ctx context.Context, from time.Time, done *Erased) error {
	oldest, err := e.oldest(ctx)
	if err != nil {
		return err
	}
	at := oldest
	if from.After(at) {
		at = from.UTC()
	}
	for ; !oldest.IsZero() && at.Before(e.Before); at = at.Truncate(day).Add(day) {
		until := at.Truncate(day).Add(day)
		if until.After(e.Before) {
			until = e.Before
		}
		if err := e.day(ctx, at, until, done); err != nil {
			return e.stopped(ctx, err, at, done)
		}
	}
	if err := e.leftovers(ctx); err != nil {
		return e.stopped(ctx, err, e.Before, done)
	}
	return nil
}

// day erases the subject's rows of a span.
func (e *eraser) day(ctx context.Context, since, until time.Time, done *Erased) error {
	for {
		ids, first, last, err := e.rows(ctx, since, until)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := e.chunk(ctx, ids, first, last, done); err != nil {
			return err
		}
	}
}

// stopped tells an error from the end of the time that there was.
func (e *eraser) stopped(ctx context.Context, err error, at time.Time, done *Erased) error {
	if ctx.Err() == nil {
		return err
	}
	done.Next = at
	return nil
}

// oldest is the time of the oldest row of all, zero if there is none.
func (e *eraser) oldest(ctx context.Context) (time.Time, error) {
	found, err := e.texts(ctx, "SELECT "+e.d.column("min(timestamp)", kindSecond)+" FROM api_logs")
	if err != nil || len(found) == 0 || found[0][0] == nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, *found[0][0])
}

// rows finds a chunk of the subject's rows.
func (e *eraser) rows(ctx context.Context, since, until time.Time) (ids []string, first, last string, err error) {
	found, err := e.texts(ctx, "SELECT request_id, "+e.d.column("timestamp", kindSecond)+" AS at FROM api_logs WHERE "+e.column+" = $1 AND timestamp >= "+e.d.moment("$2")+
		" AND timestamp < "+e.d.moment("$3")+fmt.Sprintf(" ORDER BY api_logs.timestamp LIMIT %d", eraseChunk), e.name, isoTime(since), isoTime(until))
	for _, cells := range found {
		ids = append(ids, orEmpty(cells[0]))
		if first == "" {
			first = orEmpty(cells[1])
		}
		last = orEmpty(cells[1])
	}
	return ids, first, last, err
}

// chunk erases some rows, and what roll-ups and contents have of them.
func (e *eraser) chunk(ctx context.Context, ids []string, first, last string, done *Erased) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	c := chunk{d: e.d, ids: string(list), first: first, last: last, pseudonym: e.pseudonym}
	batch := append(c.begin(), c.rollups()...)
	batch = append(batch, c.contents(), c.rows())
	changed, err := e.db.Write(ctx, append(batch, database.SQL("UPDATE api_erasures SET row_count = row_count + $1 WHERE kind = $2 AND name = $3", len(ids), strings.TrimSuffix(e.column, "_id"), e.name))...)
	if err != nil {
		return err
	}
	done.Contents += changed[len(batch)-2]
	done.Rows += changed[len(batch)-1]
	return nil
}

// CountErasure implements Store.
func (l *log) CountErasure(ctx context.Context, in Erasure) (done Erased, err error) {
	kind, name, err := in.subject()
	if err != nil {
		return done, err
	}
	before := isoTime(in.Before.UTC().Truncate(slotTime))
	where := " FROM api_logs WHERE " + kind + "_id = $1 AND timestamp < " + l.d.moment("$2")
	found, err := l.texts(ctx, "SELECT CAST(count(*) AS TEXT), CAST((SELECT count(*) FROM api_contents WHERE request_id IN (SELECT request_id"+where+")) AS TEXT)"+where, name, before)
	if err == nil {
		err = numbers(found[0], &done.Rows, &done.Contents)
	}
	if err != nil {
		return done, fmt.Errorf("count what is to be erased: %w", err)
	}
	return done, nil
}

// EraseLate implements Store.
func (l *log) EraseLate(ctx context.Context) (rows int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("erase late events: %w", err)
		}
	}()
	if _, err := l.db.WriteIdempotent(ctx, database.SQL("DELETE FROM api_erasures WHERE asked_at < "+l.d.moment("$1"), isoTime(time.Now().Add(-EraseTime)))); err != nil {
		return 0, err
	}
	found, err := l.texts(ctx, "SELECT kind, name, "+l.d.column("before", kindSecond)+", pseudonym FROM api_erasures")
	if err != nil {
		return 0, err
	}
	for _, cells := range found {
		e := eraser{log: l, column: orEmpty(cells[0]) + "_id", name: orEmpty(cells[1]), pseudonym: orEmpty(cells[3])}
		if e.Before, err = time.Parse(time.RFC3339, orEmpty(cells[2])); err != nil {
			return rows, err
		}
		var done Erased
		err = e.run(ctx, time.Time{}, &done)
		rows += done.Rows
		if err != nil || ctx.Err() != nil {
			return rows, err
		}
	}
	return rows, nil
}

func isoTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }
