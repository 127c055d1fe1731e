package adminclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
)

// Error is a refusal by the daemon.
type Error struct {
	URL    string
	Status int
	// Message is the daemon's own.
	Message string
	// Problems are the mistakes in configuration files, one line each.
	Problems []string
}

// Error is the daemon's message.
func (e *Error) Error() string { return e.Message }

// Unreachable means that no daemon answered. A write may have taken place if
// its answer was lost.
type Unreachable struct {
	URL   string
	Cause string
}

// Error names the URL and the cause.
func (e *Unreachable) Error() string {
	return fmt.Sprintf("the control plane at %s is unreachable: %s", e.URL, e.Cause)
}

// cause shortens an error of net/http to what helps an operator: the method,
// the address and the layers between say nothing new.
func cause(err error) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		err = dial.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return err.Error()
}

type envelope struct {
	Error *struct {
		Message  string `json:"message"`
		Metadata struct {
			Problems []string `json:"problems"`
		} `json:"metadata"`
	} `json:"error"`
}

// refusal reads an answer that is not a 2xx.
func (c *Client) refusal(resp response) error {
	out := &Error{URL: c.URL(), Status: resp.status}
	var answer envelope
	if json.Unmarshal(resp.body, &answer) == nil && answer.Error != nil && answer.Error.Message != "" {
		out.Message, out.Problems = answer.Error.Message, answer.Error.Metadata.Problems
		return out
	}
	what := fmt.Sprintf("%d %s", resp.status, http.StatusText(resp.status))
	switch resp.status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &Unreachable{URL: c.URL(), Cause: "a proxy in front of it answers " + what}
	}
	out.Message = fmt.Sprintf("%s answers %s and is not the admin API", c.URL(), what)
	if resp.location != nil {
		out.Message = fmt.Sprintf("%s is not the admin API, it answers %s and points to %s", c.URL(), what, resp.location.Redacted())
	}
	return out
}

// Option is one of the Options that can be wrong.
type Option string

// The options that New checks.
const (
	OptionURL    Option = "URL"
	OptionToken  Option = "token"
	OptionAuthor Option = "author"
)

// Invalid is an option that cannot be used. It does not repeat the value,
// which may be or hold a secret.
type Invalid struct {
	Option Option
	// Must goes on after the option's name, such as "must not be empty".
	Must string
}

// Error names the option and what it must be.
func (e *Invalid) Error() string { return "the " + string(e.Option) + " " + e.Must }

// AsInvalid finds the Invalid in an error of New.
func AsInvalid(err error) (*Invalid, bool) { return errors.AsType[*Invalid](err) }
