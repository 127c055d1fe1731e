package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// free fills in addresses on loopback that no one listens on.
func free(addrs ...*string) error {
	var errs []error
	for _, addr := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("find a free port: %w", err)
		}
		*addr = l.Addr().String()
		defer func() { errs = append(errs, l.Close()) }() // all at the end, so that they differ
	}
	return errors.Join(errs...)
}

// listens is satisfied when someone takes connections.
func listens(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", addr, err)
		}
		return c.Close()
	}
}

// serves is satisfied when a GET is answered with 200.
func serves(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("ask %s: %w", url, err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("ask %s: %w", url, err)
		}
		defer resp.Body.Close() //nolint:errcheck // was read
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // what there is of it
			return fmt.Errorf("ask %s: %s: %s", url, resp.Status, text)
		}
		return nil
	}
}
