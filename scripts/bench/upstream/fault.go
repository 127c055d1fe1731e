package upstream

import "time"

// strike sends what comes before the fault and lets it happen. An error ends
// the connection.
func (x *exchange) strike() error {
	if err := x.flush(); err != nil {
		return err
	}
	f := &x.script.Fault
	switch f.Kind {
	case Reset:
		x.settle(&x.tally.broken)
		reset(x.conn)
		return errBroken
	case Hangup:
		return x.breakOff()
	case Stall:
		return x.stall(time.Duration(f.For))
	case BadChunk:
		x.buf = append(x.buf, "not a size\r\n"...)
		return x.breakOff()
	default: // the others change what is sent
		return nil
	}
}

// breakOff sends what was gathered and ends the connection.
func (x *exchange) breakOff() error {
	x.settle(&x.tally.broken)
	if err := x.flush(); err != nil {
		return err
	}
	return errBroken
}

func (x *exchange) stall(d time.Duration) error {
	if d == 0 {
		return x.wait(time.Time{})
	}
	return x.wait(time.Now().Add(d))
}

// within tells after how much of an answer of n chunks or bytes the fault
// strikes, and whether it does: a fault of the whole answer has no place.
func (f *Fault) within(n int) (at int, ok bool) {
	switch f.Kind {
	case NoFault, LongLength, CloseAfter:
		return n, false
	default:
		return min(f.At, n), true
	}
}
