package load

import (
	"fmt"
	"sync/atomic"
)

// Once sends one request and checks the answer.
func Once(req Request) error {
	c, err := dial(&req, slack)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // nothing is left to lose
	if _, err := c.Write(req.wire()); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	var events atomic.Int64
	return c.answer(&events)
}
