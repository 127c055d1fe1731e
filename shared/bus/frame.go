package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/wire"
)

// Frame is a run of usage events of one node in one message: one fsync and one
// acknowledgement for all of them.
type Frame struct {
	Node string
	// Epoch names the counter that First and Last belong to.
	Epoch       string
	First, Last uint64
	// Lines are the events, one JSON document a line.
	Lines []byte
	// Attempt distinguishes copies that must not be dropped by the server's
	// de-duplication: 0 for the first sending.
	Attempt int
}

// maxLines bounds what a frame may unpack to.
const maxLines = 8 << 20

// EncodeFrame packs a frame.
func EncodeFrame(f Frame) (*nats.Msg, error) {
	if f.Last < f.First || len(f.Lines) > maxLines {
		return nil, fmt.Errorf("frame %d-%d of %d bytes cannot be sent", f.First, f.Last, len(f.Lines))
	}
	m := nats.NewMsg(wire.UsagePrefix + f.Node)
	first, last := strconv.FormatUint(f.First, 10), strconv.FormatUint(f.Last, 10)
	m.Header.Set(nats.MsgIdHdr, f.Epoch+"/"+first+"-"+last+"/"+strconv.Itoa(f.Attempt))
	m.Header.Set(wire.HeaderVersion, strconv.Itoa(wire.Version))
	m.Header.Set(wire.HeaderEncoding, "s2")
	m.Header.Set(wire.HeaderNode, f.Node)
	m.Header.Set(wire.HeaderEpoch, f.Epoch)
	m.Header.Set(wire.HeaderFirst, first)
	m.Header.Set(wire.HeaderLast, last)
	m.Data = s2.Encode(nil, f.Lines)
	if m.Size() > maxFrame {
		return nil, fmt.Errorf("frame %d-%d: %d bytes packed, at most %d can be sent", f.First, f.Last, m.Size(), maxFrame)
	}
	return m, nil
}

// DecodeFrame unpacks a frame from a message's headers and data.
func DecodeFrame(h nats.Header, data []byte) (Frame, error) {
	version, err := strconv.Atoi(h.Get(wire.HeaderVersion))
	if err != nil || version < 1 {
		return Frame{}, fmt.Errorf("frame: %s is %q", wire.HeaderVersion, h.Get(wire.HeaderVersion))
	}
	if version > wire.Version {
		return Frame{}, fmt.Errorf("frame: version %d, this program reads up to %d", version, wire.Version)
	}
	f := Frame{Node: h.Get(wire.HeaderNode), Epoch: h.Get(wire.HeaderEpoch)}
	first, err1 := strconv.ParseUint(h.Get(wire.HeaderFirst), 10, 64)
	last, err2 := strconv.ParseUint(h.Get(wire.HeaderLast), 10, 64)
	if err := errors.Join(err1, err2); err != nil || last < first || f.Node == "" || f.Epoch == "" {
		return Frame{}, fmt.Errorf("frame: node %q, epoch %q, events %q-%q", f.Node, f.Epoch, h.Get(wire.HeaderFirst), h.Get(wire.HeaderLast))
	}
	f.First, f.Last = first, last
	switch enc := h.Get(wire.HeaderEncoding); enc {
	case "":
		f.Lines = data
	case "s2":
		n, err := s2.DecodedLen(data)
		if err != nil {
			return Frame{}, fmt.Errorf("frame: %w", err)
		}
		if n > maxLines {
			return Frame{}, fmt.Errorf("frame: %d bytes unpacked, at most %d are accepted", n, maxLines)
		}
		if f.Lines, err = s2.Decode(nil, data); err != nil {
			return Frame{}, fmt.Errorf("frame: %w", err)
		}
	default:
		return Frame{}, fmt.Errorf("frame: unknown encoding %q", enc)
	}
	return f, nil
}

// PublishFrame sends a frame and returns when the stream has stored it. A frame
// that it has stored before, by its message id, is success, too.
func PublishFrame(ctx context.Context, nc *nats.Conn, m *nats.Msg) error {
	reply, err := nc.RequestMsgWithContext(ctx, m)
	if errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("stream %s does not exist", wire.UsageStream)
	}
	if err != nil {
		return fmt.Errorf("publish to %s: %w", m.Subject, err)
	}
	var ack struct {
		Stream string `json:"stream"`
		Error  *struct {
			Code        int    `json:"err_code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return fmt.Errorf("publish to %s: unreadable acknowledgement: %w", m.Subject, err)
	}
	if ack.Error != nil {
		return fmt.Errorf("publish to %s: %s (%d)", m.Subject, ack.Error.Description, ack.Error.Code)
	}
	if ack.Stream != wire.UsageStream {
		return fmt.Errorf("publish to %s: stored by stream %q, not %s", m.Subject, ack.Stream, wire.UsageStream)
	}
	return nil
}
