package env

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/secret"
)

// File is the path of a file that the process reads; a start without the file
// fails.
type File string

// set gives the field the value that text stands for. The error says what is
// allowed, to be read after the variable's name.
func (f *field) set(text string) error {
	var value any
	var err error
	switch f.value.Interface().(type) {
	case bool:
		value, err = parseSwitch(text)
	case int:
		value, err = number(f, text, strconv.Atoi, "an integer", strconv.Itoa)
	case int64:
		value, err = number(f, text, parseInt64, "an integer", func(n int64) string { return strconv.FormatInt(n, 10) })
	case float64:
		value, err = number(f, text, parseFloat, "a number", func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) })
	case time.Duration:
		value, err = number(f, text, ParseDuration, "seconds or a duration such as 250ms or 2h", time.Duration.String)
	case []string:
		value = parseList(text)
	case []netip.Prefix:
		value, err = parseNetworks(text)
	case secret.String:
		value, err = secret.New(text), checkSecret(text, f.tag.Get("strong") == "true")
	case File:
		value, err = File(text), checkFile(text)
	case string:
		value, err = f.word(text)
	}
	switch value.(type) {
	case secret.String, File: // also refused ones are set: no rule about what must be set is broken, too
	default:
		if err != nil {
			return err
		}
	}
	f.value.Set(reflect.ValueOf(value))
	return err
}

// word returns text, or the one of the allowed words that it is. Case does not matter.
func (f *field) word(text string) (string, error) {
	allowed := f.tag.Get("oneof")
	if allowed == "" {
		return text, nil
	}
	words := strings.Split(allowed, ",")
	i := slices.IndexFunc(words, func(word string) bool { return strings.EqualFold(word, text) })
	if i < 0 {
		return "", fmt.Errorf("must be one of %s, got %q", strings.Join(words, ", "), text)
	}
	return words[i], nil
}

func parseSwitch(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("must be true or false (also 1, 0, yes, no, on, off), got %q", text)
}

// number parses text and holds it against the tags min and max.
func number[T cmp.Ordered](f *field, text string, parse func(string) (T, error), what string, show func(T) string) (T, error) {
	got, err := parse(text)
	bound := func(tag string) (value T, given bool) {
		text := f.tag.Get(tag)
		if text == "" {
			return value, false
		}
		value, bad := parse(text)
		if bad != nil {
			panic(fmt.Sprintf("env: %s of %s: %s", tag, f.Name, bad))
		}
		return value, true
	}
	low, hasLow := bound("min")
	high, hasHigh := bound("max")
	if err == nil && (!hasLow || got >= low) && (!hasHigh || got <= high) {
		return got, nil
	}
	switch {
	case hasLow && hasHigh:
		what += " from " + show(low) + " to " + show(high)
	case hasLow:
		what += " of at least " + show(low)
	case hasHigh:
		what += " of at most " + show(high)
	}
	return got, fmt.Errorf("must be %s, got %q", what, text)
}

func parseInt64(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }

func parseFloat(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(x) || math.IsInf(x, 0)) {
		err = strconv.ErrRange
	}
	return x, err
}

// ParseDuration reads a number of seconds or a number with a unit: 90, 1.5,
// 250ms, 2h.
func ParseDuration(text string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.ParseDuration(text)
	}
	if ns := seconds * float64(time.Second); math.Abs(ns) < math.MaxInt64 {
		return time.Duration(ns), nil
	}
	return 0, strconv.ErrRange
}

// parseList returns the items between commas, without blanks around them and
// without empty ones.
func parseList(text string) (out []string) {
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

func parseNetworks(text string) (out []netip.Prefix, err error) {
	for _, item := range parseList(text) {
		p, err := netip.ParsePrefix(item)
		if addr, single := netip.ParseAddr(item); single == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("must list addresses or networks such as 10.0.0.0/8, got %q", item)
		}
		out = append(out, p)
	}
	return out, nil
}

const (
	// example begins what example files have in place of secrets.
	example = "change-me"
	// strongLength and strongCharacters are what a strong secret has at least:
	// more than anybody types, less than any generator makes.
	strongLength     = 16
	strongCharacters = 6
)

// checkSecret never shows the text.
func checkSecret(text string, strong bool) error {
	if strings.HasPrefix(strings.ToLower(text), example) {
		return errors.New("has the value from the example; generate one with: openssl rand -hex 32")
	}
	if !strong {
		return nil
	}
	different := make(map[rune]bool)
	for _, ch := range text {
		different[ch] = true
	}
	if len(text) < strongLength || len(different) < strongCharacters {
		return fmt.Errorf("is too weak: it must have at least %d characters, %d of them different; generate one with: openssl rand -hex 32", strongLength, strongCharacters)
	}
	return nil
}

func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("must name a file that can be read: %w", err)
	}
	return f.Close()
}
