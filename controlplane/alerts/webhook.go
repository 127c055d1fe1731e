package alerts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/secret"
)

// SignatureHeader has t=<seconds since 1970>,v1=<hex of HMAC-SHA256(secret,
// t + "." + body)>.
const SignatureHeader = "X-Gateway-Signature"

const (
	postTime    = 10 * time.Second
	postRetries = 5
	firstWait   = 250 * time.Millisecond
	longestWait = 30 * time.Second
	// againEvery is how often what is pending is tried again, and giveUpAfter
	// until when.
	againEvery  = time.Minute
	giveUpAfter = 24 * time.Hour
)

// Webhook is where alerts are posted.
type Webhook struct {
	url    secret.String // it may contain a token
	secret secret.String
	client *retryablehttp.Client
}

// NewWebhook checks the address, which is not shown in errors.
func NewWebhook(address, key secret.String) (*Webhook, error) {
	u, err := url.Parse(address.Reveal())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("must be a URL such as https://alerts.example.com/hook")
	}
	r := retryablehttp.NewClient()
	r.HTTPClient = &http.Client{
		Timeout: postTime, Transport: http.DefaultTransport.(*http.Transport).Clone(), //nolint:errcheck // its documented type
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // to wherever the receiver says
	}
	r.Logger, r.RetryMax, r.RetryWaitMin, r.RetryWaitMax = nil, postRetries, firstWait, longestWait
	r.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &Webhook{url: address, secret: key, client: r}, nil
}

// post delivers one alert.
func (h *Webhook) post(ctx context.Context, body []byte) error {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, h.url.Reveal(), body)
	if err != nil {
		return errors.New("the webhook's URL is not valid")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(SignatureHeader, h.sign(time.Now(), body))
	resp, err := h.client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL
		}
		return fmt.Errorf("post to the webhook: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again
	_ = resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("post to the webhook: status %d", resp.StatusCode)
	}
	return nil
}

func (h *Webhook) sign(now time.Time, body []byte) string {
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(h.secret.Reveal()))
	_, _ = mac.Write([]byte(at + ".")) // a hash never fails
	_, _ = mac.Write(body)
	return "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// deliver posts pending alerts until ctx is done: at once what was raised, and
// every minute what is left, also by a daemon that is gone.
func (w *Watcher) deliver(ctx context.Context) {
	if w.o.Webhook == nil {
		return
	}
	again := time.NewTicker(againEvery)
	defer again.Stop()
	for ctx.Err() == nil {
		if err := w.deliverPending(ctx); err != nil && ctx.Err() == nil {
			w.o.Log.WarnContext(ctx, "alerts are not delivered", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
		case <-w.raised:
		case <-again.C:
		}
	}
}

func (w *Watcher) deliverPending(ctx context.Context) error {
	db, err := w.o.State()
	if err != nil {
		return err
	}
	list, err := db.Alerts(ctx, controlstate.DeliveryPending)
	if err != nil {
		return err
	}
	for i := range list {
		a := &list[i]
		done := controlstate.DeliveryDelivered
		if err := w.o.Webhook.post(ctx, []byte(a.Event)); err != nil {
			if time.Since(a.Created) < giveUpAfter {
				return err // the others would fail, too
			}
			done = controlstate.DeliveryFailed
		}
		if err := db.AlertDelivery(ctx, a, done); err != nil {
			return err
		}
	}
	return nil
}
