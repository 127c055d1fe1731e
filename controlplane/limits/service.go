package limits

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// renewEvery is how often the granting daemon says that it is there, and
	// takeOver how long another waits for it.
	renewEvery = time.Second
	takeOver   = 3 * time.Second
	storeTime  = 2 * time.Second
	// batch is how many reports are answered together: what they change is kept
	// at once.
	batch = 64
)

// Options configure a Service.
type Options struct {
	Conn     *nats.Conn
	Replicas int
	// Name is this daemon's. Alone says that no other can be connected: it need
	// not wait until the one before, which was killed, must be gone.
	Name  string
	Alone bool
	// Grace is how long a node may be silent before what it holds comes back.
	Grace time.Duration
	// Table is the current key table, nil before there is one, and Release the
	// current release, whose endpoints have limits.
	Table   func() *wire.KeyTable
	Release func() *wire.Release
	// Spent is what a budget's holder has spent in the current period, in
	// pico-dollars, before its limit was counted.
	Spent func(ctx context.Context, d *Definition) (int64, error)
	// Granted reports whether NoteGranted was ever called, by this daemon or one
	// before. It tells a lost state from that of a new installation.
	Granted     func(context.Context) (bool, error)
	NoteGranted func(context.Context) error
	Log         *slog.Logger
}

// Service grants shares while this daemon is the one that does.
type Service struct {
	o       Options
	store   store
	granter *Granter
	// granting is the granter while this daemon grants, for whoever asks it.
	granting atomic.Pointer[Granter]
	table    *wire.KeyTable
	release  *wire.Release
	// bases gets what the request log says of new limits; asking says that it
	// will, and askAt is when it may be asked for again.
	bases  chan []base
	asking bool
	askAt  time.Time
	noted  bool // NoteGranted was called

	// what is wrong, as far as this goroutine knows, and as others see it
	unkept, unknown error
	told            bool // that a lost state is being found out
	troubles        troubles
}

// base is what was spent of a limit before it was counted, or why that is not known.
type base struct {
	of    Definition
	spent int64
	err   error
}

// errUnkept says that what was granted could not be kept, so that no node may
// learn of it. It is tried again with the next report.
var errUnkept = errors.New("NATS does not keep what was granted")

// NewService returns a service that grants once it runs.
func NewService(o Options) (*Service, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return nil, err
	}
	return &Service{o: o, store: store{js: js, replicas: o.Replicas}, bases: make(chan []base, 1)}, nil
}

// Run grants, or waits for the daemon that does to be gone, until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if s.await(ctx) {
			if err := s.lead(ctx); err != nil && ctx.Err() == nil {
				s.o.Log.Warn("granting of limits was interrupted", slog.String("error", err.Error()))
			}
		}
		s.rest(ctx, renewEvery/4)
	}
	return nil
}

func (s *Service) rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// await returns true once there is work and no one who does it.
func (s *Service) await(ctx context.Context) bool {
	var seen uint64
	since := time.Now()
	for ctx.Err() == nil {
		if s.o.Table() == nil || !s.o.Conn.IsConnected() {
			return false
		}
		bounded, cancel := context.WithTimeout(ctx, storeTime)
		l, number, err := s.store.leader(bounded)
		cancel()
		if err != nil {
			return false
		}
		if number != seen {
			seen, since = number, time.Now()
		}
		if number == 0 || l.Gone || s.o.Alone || l.Name == s.o.Name || time.Since(since) >= takeOver {
			return true
		}
		s.rest(ctx, renewEvery/4)
	}
	return false
}

// lead grants until ctx is done or another daemon does.
func (s *Service) lead(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	state, err := s.store.load(bounded)
	if err != nil {
		return err
	}
	s.checkEmpty(bounded, &state)
	now := time.Now()
	epoch := max(state.Epoch+1, uint64(now.UnixMilli())) //nolint:gosec // after 1970
	s.granter, s.table, s.release = New(now, epoch, s.o.Grace, state), nil, nil
	s.unkept, s.told = nil, false
	s.define(now, true)
	if err := s.store.claim(bounded, leaderDoc{Name: s.o.Name, Epoch: epoch}); err != nil {
		return err
	}
	reports := make(chan *nats.Msg, 4096)
	sub, err := s.o.Conn.ChanSubscribe(wire.LeasePrefix+"*", reports)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	s.granting.Store(s.granter)
	defer s.granting.Store(nil)
	asked, err := s.o.Conn.Subscribe(wire.AskLimits, s.tell(s.granter))
	if err != nil {
		return err
	}
	defer func() { _ = asked.Unsubscribe() }() // as above
	s.o.Log.Info("granting shares of limits", slog.Uint64("epoch", epoch))
	defer s.troubles.set(nil, nil, time.Time{})
	err = s.serve(ctx, reports)
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
		defer cancel()
		err = errors.Join(s.keep(last), s.store.claim(last, leaderDoc{Name: s.o.Name, Epoch: epoch, Gone: true}))
	}
	return err
}

// checkEmpty finds out whether a state is empty because nothing was ever granted:
// then nothing was lost, and the first keys need not wait until that is sure.
func (s *Service) checkEmpty(ctx context.Context, state *State) {
	if !state.Empty {
		s.noteGranted(ctx)
		return
	}
	granted, err := s.o.Granted(ctx)
	if err == nil && !granted {
		s.noteGranted(ctx)
		state.Empty = !s.noted
	}
}

// noteGranted has the control state remember that shares are granted. It is tried
// again every second until that is done.
func (s *Service) noteGranted(ctx context.Context) {
	if s.noted {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	s.noted = s.o.NoteGranted(ctx) == nil
}

// tell answers how much of limits is used.
func (s *Service) tell(g *Granter) nats.MsgHandler {
	return func(m *nats.Msg) {
		q, err := wire.DecodeLimitQuestion(m.Data)
		if err != nil {
			return // of a newer version: there is no answer
		}
		if answer, err := g.States(time.Now(), q).Encode(); err == nil {
			bus.Answer(m, answer)
		}
	}
}

// serve answers reports.
func (s *Service) serve(ctx context.Context, reports <-chan *nats.Msg) error {
	connected := s.o.Conn.StatusChanged(nats.CONNECTED)
	defer s.o.Conn.RemoveStatusListener(connected)
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-reports:
			if err := s.answer(ctx, m, reports); err != nil && !errors.Is(err, errUnkept) {
				return err
			}
		case <-connected:
			s.granter.Connected(time.Now())
		case list := <-s.bases:
			s.takeBases(time.Now(), list)
		case <-renew.C:
			if err := s.renew(ctx); err != nil && !errors.Is(err, errUnkept) {
				return err
			}
		}
	}
}

// renew says that this daemon is there, and takes back what silent nodes hold.
func (s *Service) renew(ctx context.Context) error {
	if !s.o.Conn.IsConnected() {
		s.granter.Connected(time.Now())
		return nil
	}
	now := time.Now()
	s.define(now, false)
	s.findBases(ctx)
	s.noteGranted(ctx)
	s.granter.Sweep(now)
	defer s.note(now)
	if err := s.keep(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return s.uncertain(bounded, s.store.claim(bounded, leaderDoc{Name: s.o.Name, Epoch: s.granter.Epoch()}))
}

// define takes in a new key table or release.
func (s *Service) define(now time.Time, first bool) {
	t, r := s.o.Table(), s.o.Release()
	if t == s.table && r == s.release {
		return
	}
	s.table, s.release = t, r
	s.granter.Define(now, Definitions(t, r), first)
}

// findBases looks up what new limits have spent already.
func (s *Service) findBases(ctx context.Context) {
	now := time.Now()
	if s.asking || now.Before(s.askAt) {
		return
	}
	missing := s.granter.Missing(now)
	if len(missing) == 0 {
		return
	}
	s.asking = true
	go func() {
		found := make([]base, len(missing))
		for i := range missing {
			found[i].of = missing[i]
			found[i].spent, found[i].err = s.o.Spent(ctx, &missing[i])
		}
		s.bases <- found
	}()
}

// takeBases takes in what findBases has found. What could not be found is looked
// up again a second later, and logged once.
func (s *Service) takeBases(now time.Time, list []base) {
	s.asking = false
	var failed error
	for i := range list {
		if b := &list[i]; b.err == nil {
			s.granter.Base(now, &b.of, b.spent)
		} else {
			failed = fmt.Errorf("%s of %s %s: %w", b.of.Name(), b.of.Holder, b.of.ID, b.err)
		}
	}
	if failed != nil {
		s.askAt = now.Add(time.Second)
		if s.unknown == nil {
			s.o.Log.Warn("limits refuse until the request log says what was spent before", slog.String("error", failed.Error()))
		}
	}
	s.unknown = failed
}

// answer answers a report and those that wait behind it.
func (s *Service) answer(ctx context.Context, m *nats.Msg, more <-chan *nats.Msg) error {
	type ready struct {
		m *nats.Msg
		r *wire.LeaseReply
	}
	var list []ready
	s.define(time.Now(), false)
	s.findBases(ctx)
	for m != nil {
		if report, err := wire.DecodeLeaseReport(m.Data); err != nil {
			s.o.Log.Warn("unreadable report of limits", slog.String("subject", m.Subject))
		} else if reply := s.granter.Report(time.Now(), m.Subject[len(wire.LeasePrefix):], report); reply != nil {
			list = append(list, ready{m, reply})
		}
		m = nil
		if len(list) < batch {
			select {
			case m = <-more:
			default:
			}
		}
	}
	if err := s.keep(ctx); err != nil {
		return err
	}
	for _, one := range list {
		bus.Answer(one.m, one.r.Append(nil))
	}
	for node, counters := range s.granter.Recalls() {
		if err := s.o.Conn.Publish(wire.RecallPrefix+node, wire.AppendRecall(nil, counters)); err != nil {
			return err
		}
	}
	return nil
}

// keep writes what a successor has to know.
func (s *Service) keep(ctx context.Context) error {
	docs, err := s.granter.Unkept()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	for _, d := range docs {
		if err := s.store.save(ctx, d); err != nil {
			s.unkept = s.uncertain(ctx, err)
			return s.unkept
		}
	}
	s.unkept = nil
	return nil
}

// uncertain finds out what has become of a write that failed: NATS may have lost
// its storage, which this daemon then fills again.
func (s *Service) uncertain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	s.granter.Everything()
	l, number, failed := s.store.leader(ctx)
	if failed != nil {
		return fmt.Errorf("%w: %w", errUnkept, err)
	}
	own := s.granter.Epoch()
	if number != 0 && (l.Epoch > own || l.Epoch == own && l.Name != s.o.Name) {
		return errSucceeded
	}
	if _, failed := s.store.load(ctx); failed != nil {
		return fmt.Errorf("%w: %w", errUnkept, err)
	}
	if number == 0 || l.Epoch != own || errors.Is(err, errSucceeded) { // the storage is another: empty, or a backup
		s.o.Log.Warn("NATS has lost what was granted of limits; it is written again")
		if err := s.store.claim(ctx, leaderDoc{Name: s.o.Name, Epoch: own}); err != nil {
			return fmt.Errorf("%w: %w", errUnkept, err)
		}
	}
	return errUnkept // everything is kept with the next reports
}

// Definitions are the limits of a key table and of a release's endpoints.
func Definitions(t *wire.KeyTable, r *wire.Release) (list []Definition) {
	add := func(holder, id string, limits []wire.Limit) {
		for _, l := range limits {
			list = append(list, Definition{Limit: l, Holder: holder, ID: id})
		}
	}
	if t != nil {
		add(wire.HolderGateway, "", t.Gateway)
		for user, limits := range t.Users {
			add(wire.HolderUser, user, limits)
		}
		for i := range t.Teams {
			add(wire.HolderTeam, t.Teams[i].ID, t.Teams[i].Limits)
		}
		for i := range t.Keys {
			add(wire.HolderKey, t.Keys[i].ID, t.Keys[i].Limits)
		}
	}
	if r != nil {
		for i := range r.Snapshot.Models {
			for j := range r.Snapshot.Models[i].Endpoints {
				e := &r.Snapshot.Models[i].Endpoints[j]
				add(wire.HolderEndpoint, e.ID, e.Limits())
			}
		}
	}
	return list
}
