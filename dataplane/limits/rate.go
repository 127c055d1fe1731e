package limits

import "time"

// rate is a moving average of how much is asked for per second.
type rate struct {
	since   time.Duration // when pending began
	pending int64
	average float64
	begun   bool
}

const (
	// rateTime is the shortest time that a rate is measured over.
	rateTime = 200 * time.Millisecond
	// rateWeight is that of the newest measurement.
	rateWeight = 0.5
	// rateNone is what is as good as nothing.
	rateNone = 0.01
)

// sample takes in what was asked for since the last time.
func (r *rate) sample(now time.Duration, asked int64) {
	if !r.begun {
		r.begun, r.since = true, now-rateTime
	}
	r.pending += asked
	took := now - r.since
	if took < rateTime { // that it is more can be seen already
		r.average = max(r.average, float64(r.pending)/rateTime.Seconds())
		return
	}
	measured := float64(r.pending) / took.Seconds()
	if measured > r.average {
		r.average = measured // more is needed at once
	} else {
		r.average += rateWeight * (measured - r.average)
	}
	if r.average < rateNone {
		r.average = 0
	}
	r.since, r.pending = now, 0
}
