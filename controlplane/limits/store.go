package limits

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

// docLeader names who grants.
const docLeader = "leader"

// leaderDoc is who grants, and what it grants under.
type leaderDoc struct {
	Name  string `json:"name"`
	Epoch uint64 `json:"epoch"`
	// At is when it wrote this.
	At time.Time `json:"at"`
	// Gone is set by one that has stopped.
	Gone bool `json:"gone,omitempty"`
}

// errSucceeded says that another daemon grants.
var errSucceeded = errors.New("another daemon grants shares of limits")

// store keeps the state in a stream. Each document is the last message of its
// subject, and each message names the number of the one before: two daemons
// cannot both write.
type store struct {
	js       jetstream.JetStream
	replicas int
	last     uint64 // the number of the stream's last message
}

func (s *store) stream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := s.js.Stream(ctx, wire.LeaseStream)
	if err == nil {
		return stream, nil
	}
	stream, err = s.js.CreateStream(ctx, jetstream.StreamConfig{
		Name: wire.LeaseStream, Subjects: []string{wire.LeaseStatePrefix + ">"}, MaxMsgsPerSubject: 1, Storage: jetstream.FileStorage,
		Replicas: max(1, s.replicas),
	})
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", wire.LeaseStream, err)
	}
	return stream, nil
}

// leader returns who grants by what is kept, the zero value if that is no one.
func (s *store) leader(ctx context.Context) (l leaderDoc, number uint64, err error) {
	stream, err := s.stream(ctx)
	if err != nil {
		return l, 0, err
	}
	m, err := stream.GetLastMsgForSubject(ctx, wire.LeaseStatePrefix+docLeader)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return l, 0, nil
	}
	if err != nil {
		return l, 0, err
	}
	return l, m.Sequence, json.Unmarshal(m.Data, &l)
}

// load reads everything. What is written meanwhile makes the next save fail.
func (s *store) load(ctx context.Context) (State, error) {
	stream, err := s.stream(ctx)
	if err != nil {
		return State{}, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(wire.LeaseStatePrefix+">"))
	if err != nil {
		return State{}, err
	}
	s.last = info.State.LastSeq
	state := State{Empty: len(info.State.Subjects) == 0}
	for subject := range info.State.Subjects {
		m, err := stream.GetLastMsgForSubject(ctx, subject)
		if err != nil {
			return State{}, err
		}
		name := strings.TrimPrefix(subject, wire.LeaseStatePrefix)
		if name == docLeader {
			var l leaderDoc
			if err := json.Unmarshal(m.Data, &l); err != nil {
				return State{}, err
			}
			state.Epoch, state.Claimed = l.Epoch, l.At
			continue
		}
		if err := state.Load(Document{Name: name, Data: m.Data, Age: max(0, info.TimeStamp.Sub(m.Time))}); err != nil {
			return State{}, fmt.Errorf("%s: %w", subject, err)
		}
	}
	return state, nil
}

// save writes a document, if no one else has written since.
func (s *store) save(ctx context.Context, d Document) error {
	ack, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: wire.LeaseStatePrefix + d.Name, Data: d.Data}, jetstream.WithExpectLastSequence(s.last))
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return errSucceeded
	}
	if err != nil {
		return err
	}
	s.last = ack.Sequence
	if d.Void {
		return s.purge(ctx, d.Name, ack.Sequence)
	}
	return nil
}

// purge removes a document that was written with that number, unless another
// has been written since.
func (s *store) purge(ctx context.Context, name string, number uint64) error {
	stream, err := s.stream(ctx)
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject(wire.LeaseStatePrefix+name), jetstream.WithPurgeSequence(number+1))
}

// claim writes who grants.
func (s *store) claim(ctx context.Context, l leaderDoc) error {
	l.At = time.Now()
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return s.save(ctx, Document{Name: docLeader, Data: data})
}
