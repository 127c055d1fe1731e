package price

import (
	"math"
	"math/bits"
	"strconv"
)

const (
	// one is a dollar in pico-dollars.
	one         = 1_000_000_000_000
	picoDigits  = 12
	maxExponent = 40
)

// AppendUSD appends an amount of pico-dollars as USD, without needless zeros.
func AppendUSD(dst []byte, pico int64) []byte {
	if pico < 0 {
		dst, pico = append(dst, '-'), -max(pico, -math.MaxInt64)
	}
	dst = strconv.AppendInt(dst, pico/one, 10)
	if pico %= one; pico == 0 {
		return dst
	}
	var digits [picoDigits]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + pico%10)
		pico /= 10
	}
	n := len(digits)
	for digits[n-1] == '0' {
		n--
	}
	return append(append(dst, '.'), digits[:n]...)
}

// ParseUSD reads a decimal number of USD, such as 1.4e-05, as pico-dollars. Finer
// amounts are rounded to the nearest, greater ones than MostCost cut to it. False
// is for what is no such number, or negative.
func ParseUSD(text string) (pico int64, ok bool) {
	mantissa, exponent, ok := decimal(text)
	if !ok {
		return 0, false
	}
	for exponent += picoDigits; exponent > 0; exponent-- {
		hi, lo := bits.Mul64(mantissa, 10)
		if hi > 0 || lo > MostCost {
			return MostCost, true
		}
		mantissa = lo
	}
	half := false
	for ; exponent < 0; exponent++ {
		half = mantissa%10 >= 5
		mantissa /= 10
	}
	if half {
		mantissa++
	}
	return int64(min(mantissa, MostCost)), true
}

// decimal reads a number as mantissa * 10^exponent. Digits that a mantissa has no
// room for are dropped.
func decimal(text string) (mantissa uint64, exponent int, ok bool) {
	i, point, digits := 0, false, 0
	for ; i < len(text); i++ {
		switch ch := text[i]; {
		case ch >= '0' && ch <= '9':
			digits++
			switch room := mantissa < math.MaxUint64/10-1; {
			case room:
				mantissa = mantissa*10 + uint64(ch-'0')
				if point {
					exponent--
				}
			case !point:
				exponent++
			}
		case ch == '.' && !point:
			point = true
		case (ch == 'e' || ch == 'E') && digits > 0:
			n, err := strconv.Atoi(text[i+1:])
			exponent += n
			return mantissa, exponent, err == nil && n >= -maxExponent && n <= maxExponent
		default:
			return 0, 0, false
		}
	}
	return mantissa, exponent, digits > 0
}
