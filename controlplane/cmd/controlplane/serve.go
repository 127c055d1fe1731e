package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/store"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
)

func readServe(r *env.Reader) runner {
	o := app.Options{Version: version}
	logging := logs.Read(r)
	host := r.String("CONTROL_HOST", "0.0.0.0", "address of the admin API")
	o.Addr = net.JoinHostPort(host, strconv.Itoa(r.Int("CONTROL_PORT", 8081, env.Port(), "port of the admin API")))
	o.Token = r.Secret("ADMIN_TOKEN", "what callers of the admin API must show; required")
	o.KeySecret = r.Secret("API_KEY_SECRET", "secret under which API keys are hashed, the same as the nodes'; needed to make keys")
	o.NATSURL, o.NATSCreds = readNATS(r)
	o.Replicas = r.Int("NATS_REPLICAS", 1, env.Bounds[int]{Min: 1, Max: 5}, "copies that NATS keeps: 3 in a cluster of three")
	o.Files = readFiles(r)
	o.State = readDatabase(r)
	if o.Token.Empty() {
		r.Problemf("ADMIN_TOKEN must be set: the admin API changes what the gateway does")
	}
	return func(ctx context.Context, _ io.Writer) error {
		o.Log = logging.New(os.Stderr)
		return serve(ctx, o)
	}
}

func serve(ctx context.Context, o app.Options) (err error) {
	if err := makeDirectory(o.State); err != nil {
		return err
	}
	requests, err := store.Open(ctx, o.State)
	if err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	defer func() { err = errors.Join(err, requests.Close()) }()
	o.LogStore = requests
	if o.KeySecret.Empty() {
		o.Log.Warn("API_KEY_SECRET is not set: no API keys can be made")
	}
	a, err := app.New(ctx, o)
	if err != nil {
		return err
	}
	o.Log.Info("listening", slog.String("addr", a.Addr()), slog.String("version", version))
	stop := onHangup(ctx, a)
	defer stop()
	return a.Run(ctx)
}

// onHangup reloads the configuration at each SIGHUP until it is stopped.
func onHangup(ctx context.Context, a *app.App) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hangups {
			a.Reload(ctx, "SIGHUP")
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}
