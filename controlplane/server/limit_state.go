package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// statesTime bounds the question to the daemon that grants.
	statesTime = 2 * time.Second
	// statesAsked and sharesAsked are how many limits are asked for at once, without
	// and with what each node has: an answer of a thousand nodes fits a message.
	statesAsked, sharesAsked = 1000, 10
)

// limitStates asks the daemon that grants how much of limits is used; nodes is
// for what each node has. It is false if no daemon answers.
func (s *Server) limitStates(ctx context.Context, list []limits.Definition, nodes bool) (map[uint64]wire.LimitState, bool) {
	ctx, cancel := context.WithTimeout(ctx, statesTime)
	defer cancel()
	size := statesAsked
	if nodes {
		size = sharesAsked
	}
	out := make(map[uint64]wire.LimitState, len(list))
	for part := range slices.Chunk(list, size) {
		q := wire.LimitQuestion{Nodes: nodes}
		for i := range part {
			q.Counters = append(q.Counters, part[i].Counter(part[i].Holder, part[i].ID))
		}
		answer, err := s.askLimits(ctx, &q)
		if err != nil {
			return nil, false
		}
		for _, state := range answer.States {
			out[state.Counter] = state
		}
	}
	return out, true
}

func (s *Server) askLimits(ctx context.Context, q *wire.LimitQuestion) (*wire.LimitStates, error) {
	text, err := q.Encode()
	if err != nil {
		return nil, err
	}
	m, err := s.o.Conn.RequestWithContext(ctx, wire.AskLimits, text)
	if err != nil {
		return nil, err
	}
	if len(m.Data) == 0 {
		return nil, errors.New("no answer")
	}
	return wire.DecodeLimitStates(m.Data)
}

// addStates completes limits with how much of them is used. Limits that the
// daemon does not have yet are new, or their keys are disabled.
func (s *Server) addStates(ctx context.Context, list []heldLimit, nodes bool) []adminapi.HeldLimit {
	alerts := s.alerts(ctx)
	definitions := make([]limits.Definition, len(list))
	for i, l := range list {
		definitions[i] = l.Definition
	}
	states, answered := s.limitStates(ctx, definitions, nodes)
	out := make([]adminapi.HeldLimit, len(list))
	for i := range list {
		l := &list[i].Definition
		out[i] = adminapi.HeldLimit{Holder: l.Holder, ID: l.ID, Name: list[i].name, Limit: showLimits([]wire.Limit{l.Limit})[0], State: adminapi.LimitOutage}
		out[i].Alert = alerts[alertOf(l)]
		if !answered {
			continue
		}
		state := states[l.Counter(l.Holder, l.ID)]
		if state.Resets.IsZero() {
			_, state.Resets = l.Period(time.Now())
		}
		showState(&out[i], &l.Limit, &state)
	}
	return out
}

func showState(out *adminapi.HeldLimit, l *wire.Limit, state *wire.LimitState) {
	left := max(0, l.Value-state.Used-state.Leased)
	out.State = adminapi.LimitOK
	switch {
	case state.Used >= l.Value:
		out.State = adminapi.LimitSpent
	case state.Learning:
		out.State = adminapi.LimitLearning
	}
	out.Used, out.Leased, out.Left = amount(l, state.Used), amount(l, state.Leased), amount(l, left)
	out.Refused, out.ResetsAt = state.Refused, moment(state.Resets)
	for _, n := range state.Nodes {
		out.Nodes = append(out.Nodes, adminapi.NodeLimit{Node: n.Node, Used: amount(l, n.Used), Leased: amount(l, n.Leased), Refused: n.Refused})
	}
}

// alerted is what a limit is alerted about once.
type alerted struct {
	counter string
	period  uint64
	value   int64
}

func alertOf(l *limits.Definition) alerted {
	period, _ := l.Period(time.Now())
	return alerted{strconv.FormatUint(l.Counter(l.Holder, l.ID), 16), period, l.Value}
}

// alerts are the greatest thresholds that were crossed. Without the database
// there are none.
func (s *Server) alerts(ctx context.Context) map[alerted]*adminapi.LimitAlert {
	out := map[alerted]*adminapi.LimitAlert{}
	db, err := s.o.Publisher.State()
	if err != nil {
		return out
	}
	list, err := db.Alerts(ctx, "")
	if err != nil {
		return out
	}
	for _, a := range list {
		key := alerted{a.Counter, a.Period, a.Value}
		if was := out[key]; was == nil || was.Percent < a.Percent {
			out[key] = &adminapi.LimitAlert{Percent: a.Percent, Time: a.Created, Delivery: a.Delivery}
		}
	}
	return out
}

// amount writes what was used of a limit, in USD or exact numbers.
func amount(l *wire.Limit, n int64) string {
	if l.Kind == wire.LimitBudget {
		return wire.FormatUSD(n)
	}
	return strconv.FormatInt(n, 10)
}
