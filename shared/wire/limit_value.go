package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// picoDigits are the decimals of a pico-dollar in a dollar.
const picoDigits = 12

// ParseLimitValue reads the value of a limit of that kind as people write it:
// 600, 2M or 1.5k for a number, 50 or $0.25 for a budget in USD. It is not
// compared with the kind's bounds: Check does that.
func ParseLimitValue(kind, text string) (int64, error) {
	digits, decimals := strings.TrimSpace(text), 0
	example := "a positive integer such as 600, 20k or 2M"
	if kind == LimitBudget {
		digits, decimals = strings.TrimPrefix(digits, "$"), picoDigits
		example = "an amount in USD such as 50 or 0.25"
	}
	if n := len(digits); n > 0 {
		switch digits[n-1] {
		case 'k', 'K':
			digits, decimals = digits[:n-1], decimals+3
		case 'm', 'M':
			digits, decimals = digits[:n-1], decimals+6
		case 'g', 'G', 'b', 'B':
			digits, decimals = digits[:n-1], decimals+9
		}
	}
	n, ok := scaled(digits, decimals)
	if !ok {
		return 0, fmt.Errorf("%s: must be %s, got %q", kind, example, text)
	}
	return n, nil
}

// scaled returns text * 10^decimals, if text is a number without a sign and
// the result is whole and fits.
func scaled(text string, decimals int) (int64, bool) {
	whole, frac, point := strings.Cut(text, ".")
	frac = strings.TrimRight(frac, "0")
	if whole == "" || point && strings.HasSuffix(text, ".") || len(frac) > decimals || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", decimals-len(frac)), 10, 64)
	return n, err == nil
}

// FormatLimitValue writes a value so that ParseLimitValue reads it back:
// round thousands and millions with their suffix, a budget with its dollar sign.
func FormatLimitValue(kind string, value int64) string {
	if kind == LimitBudget {
		return "$" + FormatUSD(value)
	}
	for _, s := range []struct {
		size   int64
		suffix string
	}{{1_000_000_000, "G"}, {1_000_000, "M"}, {1_000, "k"}} {
		if value >= s.size && value%s.size == 0 {
			return strconv.FormatInt(value/s.size, 10) + s.suffix
		}
	}
	return strconv.FormatInt(value, 10)
}

// FormatUSD writes pico-dollars (1e-12 USD) as an exact decimal number of
// dollars without trailing zeros.
func FormatUSD(pico int64) string {
	sign, digits := "", strconv.FormatUint(uint64(pico), 10)
	if pico < 0 {
		sign, digits = "-", strconv.FormatUint(-uint64(pico), 10)
	}
	if len(digits) <= picoDigits {
		digits = strings.Repeat("0", picoDigits+1-len(digits)) + digits
	}
	whole, frac := digits[:len(digits)-picoDigits], strings.TrimRight(digits[len(digits)-picoDigits:], "0")
	if frac == "" {
		return sign + whole
	}
	return sign + whole + "." + frac
}

// ParseReset reads a budget's period: also daily, weekly and monthly, as
// OpenRouter names them.
func ParseReset(text string) (string, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	switch word {
	case "daily":
		return ResetDay, nil
	case "weekly":
		return ResetWeek, nil
	case "monthly":
		return ResetMonth, nil
	case "never", "none":
		return ResetTotal, nil
	}
	if !slices.Contains(LimitResets(), word) {
		return "", fmt.Errorf("reset: must be one of %s, got %q", strings.Join(LimitResets(), ", "), text)
	}
	return word, nil
}

// Slug is the form in which preferences and limits name a provider: "Amazon
// Bedrock" and "amazon-bedrock" are the same.
func Slug(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
}
