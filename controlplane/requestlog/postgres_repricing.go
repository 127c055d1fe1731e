package requestlog

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/controlplane/database"
)

// repricing is a batch at work.
type repricing struct {
	pg     *database.Postgres
	sheets string
	now    time.Time
	dry    bool

	mu            sync.Mutex
	sum           Repriced
	before, after *big.Rat
	err           error
}

// run reprices a period, in parts side by side.
func (r *repricing) run(ctx context.Context, since, until time.Time) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	part := max(until.Sub(since)/repriceWorkers, time.Second).Truncate(time.Second)
	for n := range repriceWorkers {
		from, to := since.Add(time.Duration(n)*part), since.Add(time.Duration(n+1)*part)
		if n == repriceWorkers-1 || to.After(until) {
			to = until
		}
		if !from.Before(to) {
			break
		}
		workers.Go(func() {
			if err := r.part(ctx, from, to); err != nil {
				r.fail(err)
				cancel()
			}
		})
	}
	workers.Wait()
	return r.err
}

// fail keeps the first error: the others only follow.
func (r *repricing) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// part reprices a period in one transaction: rows and roll-ups agree at any moment.
// Collectors lock roll-ups in the same order, but whatever else there is may not.
func (r *repricing) part(ctx context.Context, since, until time.Time) error {
	const attempts = 5
	args := []any{r.sheets, since, until}
	if !r.dry {
		args = append(args, r.now)
	}
	for n := 1; ; n++ {
		err := r.pg.Tx(ctx, func(tx pgx.Tx) error { return r.reprice(ctx, tx, args) })
		if n == attempts || !database.Deadlock(err) {
			return err
		}
	}
}

// reprice changes rows and roll-ups. What a crash of the server might undo for
// want of synchronous commits is as good as not begun. Before a day has statistics
// a plan with nested loops reads all of the period again for each of its rows.
func (r *repricing) reprice(ctx context.Context, tx pgx.Tx, args []any) error {
	if _, err := tx.Exec(ctx, "SELECT set_config('statement_timeout', $1, true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true), set_config('synchronous_commit', 'off', true), set_config('enable_nestloop', 'off', true)",
		strconv.FormatInt(repriceTime.Milliseconds(), 10)); err != nil {
		return err
	}
	var done Repriced
	var deltas string
	if err := tx.QueryRow(ctx, repriceSQL(r.dry), args...).Scan(&done.Rows, &done.Unlisted, &done.Changed, &done.Before, &done.After, &deltas); err != nil {
		return err
	}
	if deltas != "[]" {
		if _, err := tx.Exec(ctx, "SET LOCAL enable_nestloop = on"); err != nil {
			return err
		}
		for _, sql := range []string{repriceHours, repriceSlots} {
			if _, err := tx.Exec(ctx, sql, deltas); err != nil {
				return err
			}
		}
	}
	return r.add(&done)
}

func (r *repricing) add(done *Repriced) error {
	before, ok1 := new(big.Rat).SetString(done.Before)
	after, ok2 := new(big.Rat).SetString(done.After)
	if !ok1 || !ok2 {
		return fmt.Errorf("the server says that costs were %q and are %q", done.Before, done.After)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Rows, r.sum.Unlisted, r.sum.Changed = r.sum.Rows+done.Rows, r.sum.Unlisted+done.Unlisted, r.sum.Changed+done.Changed
	r.before.Add(r.before, before)
	r.after.Add(r.after, after)
	return nil
}
