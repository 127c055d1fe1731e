package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// spendingTime limits one question to the request log.
	spendingTime = time.Second
	// spendingAge is how long an answer is given again: any client may ask.
	spendingAge = 2 * time.Second
	// spendingKept limits the answers that are kept.
	spendingKept = 10_000
)

// spendings answers what keys have cost.
type spendings struct {
	app  *App
	kept map[string]spending
}

type spending struct {
	at     time.Time
	answer []byte
}

// tellSpending answers nodes until ctx is done. Of several daemons one does.
func (a *App) tellSpending(ctx context.Context) error {
	if a.o.LogStore == nil {
		<-ctx.Done()
		return nil
	}
	s := &spendings{app: a, kept: map[string]spending{}}
	sub, err := a.conn.QueueSubscribe(wire.AskLedger, "controlplane", func(m *nats.Msg) {
		// nothing at all says that there is no answer
		bus.Answer(m, s.answer(ctx, string(m.Data)))
	})
	if err != nil {
		return fmt.Errorf("answer questions about key spending: %w", err)
	}
	<-ctx.Done()
	_ = sub.Unsubscribe() // the connection ends, too
	return nil
}

// answer is called for one question at a time.
func (s *spendings) answer(ctx context.Context, key string) []byte {
	now := time.Now()
	if k, ok := s.kept[key]; ok && now.Sub(k.at) < spendingAge {
		return k.answer
	}
	ctx, cancel := context.WithTimeout(ctx, spendingTime)
	defer cancel()
	found, err := s.app.o.LogStore.SpendingOf(ctx, now, key)
	if err != nil {
		s.app.o.Log.WarnContext(ctx, "failed to read a key's spending from the request log", slog.Any("error", err))
		return nil
	}
	var spent wire.Spent
	if spent.Total, spent.Day, spent.Week, spent.Month, err = found.Pico(); err != nil {
		s.app.o.Log.WarnContext(ctx, "a key's spending exceeds what can be represented", slog.String("key", key), slog.Any("error", err))
		return nil
	}
	if len(s.kept) >= spendingKept {
		clear(s.kept)
	}
	s.kept[key] = spending{now, spent.Encode()}
	return s.kept[key].answer
}

// problems are those of usage events and limits.
func (a *App) problems() []adminapi.Problem {
	list := a.usage.problems(time.Now())
	for _, text := range a.limits.Problems() {
		list = append(list, adminapi.Problem{Code: adminapi.ProblemLimits, Message: text})
	}
	return list
}
