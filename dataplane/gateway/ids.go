package gateway

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/rawjson"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newGenerationID returns gen-<unix seconds>-<20 alphanumerics>: the id that
// clients see, the log stores, and daily partitions are found by.
func newGenerationID(now time.Time) string {
	b := make([]byte, 0, 40)
	b = strconv.AppendInt(append(b, "gen-"...), now.Unix(), 10)
	return string(appendRandom(append(b, '-'), 20))
}

// appendRandom appends n alphanumerics, ten from each random number.
func appendRandom(b []byte, n int) []byte {
	for n > 0 {
		r := rand.Uint64()
		for i := 0; i < 10 && n > 0; i, n = i+1, n-1 {
			b = append(b, alphabet[r%uint64(len(alphabet))])
			r /= uint64(len(alphabet))
		}
	}
	return b
}

// modelList reads models[], whose type was checked when the request was parsed.
func modelList(raw []byte) []string {
	if raw == nil {
		return nil
	}
	var list []string
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		list = append(list, rawjson.Text(c.Str()))
	}
	return list
}
