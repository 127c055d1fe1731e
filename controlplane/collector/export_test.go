package collector

import "time"

// SetProgress changes how often frames in hand are reported as such.
func SetProgress(c *Collector, d time.Duration) { c.progress = d }
