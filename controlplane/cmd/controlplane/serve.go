package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
)

func readServe(r *env.Reader) runner {
	logging := logs.Read(r)
	host := r.String("CONTROL_HOST|HOST", "0.0.0.0", "address of the admin API")
	port := r.Int("CONTROL_PORT", 8081, env.Port(), "port of the admin API")
	o := app.Options{Version: version, Addr: net.JoinHostPort(host, strconv.Itoa(port))}
	o.Token, o.KeySecret = settings.Admin(r)
	o.NATS, o.Replicas = bus.Read(r), settings.Replicas(r)
	o.Proxies = r.Proxies()
	o.TLSCert = r.String("CONTROL_TLS_CERT", "", "PEM file of the certificate with which the admin API speaks TLS")
	o.TLSKey = r.String("CONTROL_TLS_KEY", "", "PEM file of its key")
	if (o.TLSCert == "") != (o.TLSKey == "") {
		r.Problemf("CONTROL_TLS_CERT and CONTROL_TLS_KEY must be set together")
	}
	o.Files = settings.Files(r)
	o.State = readDatabase(r)
	log := o.State // where requests are read from
	if settings.DualWrite(r, o.State) {
		log = settings.Second(o.State)
	}
	if o.Token.Empty() {
		r.Problemf("ADMIN_TOKEN must be set: the admin API changes what the gateway does")
	}
	return func(ctx context.Context, _ io.Writer) error {
		o.Log = logging.New(os.Stderr)
		defer logs.Stopping(ctx, o.Log)()
		return serve(ctx, o, log)
	}
}

func serve(ctx context.Context, o app.Options, log requestlog.Config) (err error) {
	if err := makeDirectory(o.State); err != nil {
		return err
	}
	requests, err := requestlog.Open(ctx, log)
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
	defer a.ReloadOnHangup(ctx)()
	return a.Run(ctx)
}
