package upstream

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
)

// errNoIdle is what the pool says instead of dialling: a dial has to end with
// its request, which fasthttp's does not.
var errNoIdle = errors.New("no idle connection")

// dialled are connections that wait for the pool to take them.
type dialled struct {
	mu    sync.Mutex
	conns []net.Conn
}

// take is the pool's dial.
func (d *dialled) take(string, time.Duration) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.conns); n > 0 {
		c := d.conns[n-1]
		d.conns = d.conns[:n-1]
		return c, nil
	}
	return nil, errNoIdle
}

func (d *dialled) put(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, c)
}

// drop closes a connection that the pool did not take, because it had another one.
func (d *dialled) drop(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.conns, c); i >= 0 {
		d.conns = slices.Delete(d.conns, i, i+1)
		_ = c.Close()
	}
}

// dialing is a connection on its way.
type dialing struct {
	stop context.CancelFunc
	came chan dialResult
}

type dialResult struct {
	conn *pooledConn
	err  error
}

// connectTo connects to an upstream.
func connectTo(ctx context.Context, addr string) (r dialResult) {
	dialer := net.Dialer{KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return dialResult{err: err}
	}
	r.conn, r.err = newPooledConn(conn.(*net.TCPConn)) //nolint:errcheck,forcetypeassert // which it is
	return r
}

// dial begins to connect; Head waits for it.
func (a *plainAnswer) dial() error {
	ctx, stop := context.WithTimeout(context.Background(), a.pool.connect) //nolint:forbidigo // the request's life is bound to Cancel
	if !a.cancel.arm(canceler(stop)) {
		stop()
		return fault.New(fault.Canceled, "The client disconnected")
	}
	d, addr := &dialing{stop, make(chan dialResult, 1)}, a.pool.host.Addr
	go func() { d.came <- connectTo(ctx, addr) }()
	a.dialing = d
	return nil
}

// arrive waits for the connection and sends the request over it.
func (a *plainAnswer) arrive(wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ErrSilent
	case came := <-a.dialing.came:
		a.dialing.stop()
		a.dialing = nil
		a.cancel.disarm()
		if came.err != nil {
			return a.notConnected(came.err)
		}
		a.pool.dialled.put(came.conn)
		err := a.connect()
		a.pool.dialled.drop(came.conn)
		if err != nil {
			return a.notConnected(err)
		}
		return a.begin()
	}
}

// begin sends the request over the connection at hand.
func (a *plainAnswer) begin() error {
	if !a.cancel.arm(a.conn) {
		a.drop()
		return fault.New(fault.Canceled, "The client disconnected")
	}
	if err := a.write(a.body); err != nil {
		a.cancel.disarm()
		a.drop()
		if errors.Is(err, errClosedEarly) {
			return unsent("send the request", err)
		}
		return broken("send the request", err)
	}
	return nil
}

func (a *plainAnswer) notConnected(err error) error {
	if a.cancel.Fired() {
		return &fault.Error{Kind: fault.Canceled, Message: "The client disconnected", Err: err, Unsent: true}
	}
	return unsent("connect to the upstream", err)
}

// abandon gives up the dial; a connection that comes all the same is closed.
func (d *dialing) abandon() {
	d.stop()
	go func() {
		if came := <-d.came; came.conn != nil {
			_ = came.conn.Close()
		}
	}()
}
