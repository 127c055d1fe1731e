package watch

import "time"

// LeaveCanary is what a beat without a canary does at that time. Run must have returned.
func (w *Watcher) LeaveCanary(now time.Time) { w.leaveCanary(now) }
