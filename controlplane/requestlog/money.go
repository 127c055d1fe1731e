package requestlog

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// picoDigits are the decimals of a pico-dollar. A price has at most six
// decimals per million tokens, so the cost of whole tokens is a whole number
// of pico-dollars and every store can keep it exactly.
const picoDigits = 12

// parsePico reads a decimal number of dollars as pico-dollars. Finer amounts,
// which only an upstream's own figure can have, are rounded to the nearest, so
// that all stores hold the same sum. The range is that of int64: 9.2 million USD.
func parsePico(s string) (int64, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(whole)+len(frac) > 18 || len(frac) > picoDigits || strings.ContainsAny(s, "eE") {
		return parsePicoSlow(s)
	}
	digits := whole + frac + strings.Repeat("0", picoDigits-len(frac))
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !strings.ContainsAny(s, "0123456789") {
		return parsePicoSlow(s)
	}
	return n, nil
}

func parsePicoSlow(s string) (int64, error) {
	// SetString alone would take fractions, hexadecimal and exponents that
	// cost gigabytes to write out
	const limit = 64
	if len(s) > limit || strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, fmt.Errorf("%.*q is not a decimal number", limit, s)
	}
	if _, exp, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(exp) > 3 {
		return 0, fmt.Errorf("%q: exponent out of range", s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, fmt.Errorf("%q is not a decimal number", s)
	}
	text := strings.Replace(r.FloatString(picoDigits), ".", "", 1)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is more than can be stored", s)
	}
	return n, nil
}

// formatPico writes pico-dollars as dollars without trailing zeros.
func formatPico(n int64) string {
	return trimDecimal(new(big.Rat).SetFrac(big.NewInt(n), big.NewInt(1_000_000_000_000)).FloatString(picoDigits))
}

func trimDecimal(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
