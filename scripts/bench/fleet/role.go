package fleet

import (
	"context"
	"fmt"
	"net"

	"github.com/hybridinference/gateway/scripts/bench/proxy"
	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

// The roles of this program's child processes, each followed by the address to
// listen on, host:port, and by something else.
const (
	roleUpstream = "play-upstream" // the address for control
	roleProxy    = "play-proxy"    // the upstream's address
	roleNATS     = "play-nats"     // a directory
	// the upstream's address, and the directory of the certificate
	roleFront       = "play-https-upstream"
	roleSecureProxy = "play-https-proxy"
)

// Play plays the role that a fleet has given to this process by its arguments,
// until ctx is done. It reports false at once if the arguments are no role.
func Play(ctx context.Context, args []string) (played bool, err error) {
	if len(args) < 3 {
		return false, nil
	}
	switch args[0] {
	case roleUpstream:
		return true, playUpstream(ctx, args[1], args[2])
	case roleProxy:
		return true, playProxy(ctx, args[1], args[2])
	case roleNATS:
		return true, playNATS(ctx, args[1], args[2])
	case roleFront:
		return true, playFront(ctx, args[1], args[2], args[3])
	case roleSecureProxy:
		return true, playSecureProxy(ctx, args[1], args[2], args[3])
	default:
		return false, nil
	}
}

func playUpstream(ctx context.Context, addr, control string) error {
	s, err := upstream.Start(upstream.Options{Addr: addr, ControlAddr: control})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

func playProxy(ctx context.Context, addr, upstream string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	return proxy.Serve(l, upstream)
}
