package wire

import (
	"hash/fnv"
	"io"
	"time"
)

// Subjects of leases.
const (
	// LeasePrefix + node id is a request with a LeaseReport, which the daemon that
	// grants answers with a LeaseReply.
	LeasePrefix = "lim.v1.lease."
	// RecallPrefix + node id carries counters that the node is to report at once,
	// as others lack what it may hold and not need; see AppendRecall.
	RecallPrefix = AskPrefix + "lease."
	// LeaseStream keeps what the granting daemon must not forget.
	LeaseStream = "LIMITS"
	// LeaseStatePrefix begins the subjects in it; each holds one message.
	LeaseStatePrefix = "lim.v1.state."
)

// Who holds a limit.
const (
	HolderKey     = "key"
	HolderUser    = "user"
	HolderTeam    = "team"
	HolderGateway = "gateway"
	// HolderEndpoint is an endpoint with its provider's limits, by its id.
	HolderEndpoint = "endpoint"
)

// Span is how a limit's use is counted.
type Span uint8

// The spans.
const (
	// Sliding counts what was used in the last SlidingTime.
	Sliding Span = iota
	// Calendar counts what was used since the period began.
	Calendar
	// InFlight counts what is in use now.
	InFlight
)

// SlidingTime is the length of the windows of rpm and tpm.
const SlidingTime = time.Minute

// Span returns how the limit's use is counted.
func (l *Limit) Span() Span {
	switch l.Kind {
	case LimitRPM, LimitTPM:
		return Sliding
	case LimitConcurrency:
		return InFlight
	default:
		return Calendar
	}
}

// Period returns the number of the calendar period, in UTC, that a time is in
// for a limit of span Calendar, greater for later ones, and its end; a zero end
// is never. It is 0 for limits of another span.
func (l *Limit) Period(now time.Time) (number uint64, end time.Time) {
	if l.Span() != Calendar {
		return 0, time.Time{}
	}
	const day = 24 * 60 * 60
	days := max(0, now.Unix()) / day
	switch l.Reset {
	case ResetTotal:
		return 1, time.Time{}
	case ResetWeek:
		week := (days + 3) / 7 // 1970 began on a Thursday
		return uint64(week), time.Unix((week*7+4)*day, 0).UTC()
	case ResetMonth:
		now = now.UTC()
		year, month := now.Year(), now.Month()
		return uint64(year*12 + int(month)), time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC) //nolint:gosec // a year is positive
	default:
		return uint64(days), time.Unix((days+1)*day, 0).UTC()
	}
}

// Counter identifies what the limit of a holder counts, whatever its value is.
func (l *Limit) Counter(holder, id string) uint64 {
	h := fnv.New64a()
	for _, part := range [...]string{holder, id, l.Kind, l.Reset, l.Model, l.Provider} {
		_, _ = io.WriteString(h, part) // a hash never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// The part of a demand that a node should hold ahead is one of these: what it uses
// in two seconds of a window, and in five of a calendar period.
const (
	AheadSliding  = 30
	AheadCalendar = 2
)

// Ahead is how much more than it has used a node should hold for its demand, so
// that it need not ask for each request; see LeaseUse.Demand.
func Ahead(span Span, demand int64) int64 {
	switch {
	case demand == 0:
		return 0
	case span == Sliding:
		return demand/AheadSliding + 1
	case span == InFlight:
		return demand/4 + 1
	default:
		return demand/AheadCalendar + 1
	}
}
