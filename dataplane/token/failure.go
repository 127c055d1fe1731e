package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"golang.org/x/oauth2"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// failed classifies a failed fetch. Of the token server's answer only its
// status and RFC 6749's words are kept: the rest may hold anything.
func failed(err error) error {
	f := &fault.Error{Kind: fault.Unavailable, Message: "The gateway could not get a token for the upstream", Unsent: true}
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		if status >= 400 && status < 500 && status != 408 && status != 429 {
			f.Kind = fault.Authentication
		}
		f.Err = fmt.Errorf("token server: status %d: %s", status, words(refused))
	} else {
		f.Err = unquoted(err)
	}
	return f
}

// unquoted keeps failures of the network as they are. All other errors may quote
// the answer, and that the request: the assertion, or a secret.
func unquoted(err error) error {
	if _, network := errors.AsType[net.Error](err); network && !isProtocol(err) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("get a token: %w", err)
	}
	return errors.New("get a token: " + codec.Scrub(err.Error()))
}

// isProtocol reports an error of net/http about what was answered. *url.Error is
// a net.Error whatever is in it.
func isProtocol(err error) bool {
	_, dialled := errors.AsType[*net.OpError](err)
	_, resolved := errors.AsType[*net.DNSError](err)
	return !dialled && !resolved && !errors.Is(err, context.DeadlineExceeded)
}

// words returns the server's error code and description.
func words(refused *oauth2.RetrieveError) string {
	var said struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(refused.Body, &said) != nil || said.Code == "" {
		return "no reason given"
	}
	return codec.Scrub(said.Code) + " (" + codec.Scrub(said.Description) + ")"
}
