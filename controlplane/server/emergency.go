package server

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hybridinference/gateway/shared/secret"
)

const (
	// emergencyMark begins the cookies of sessions that are in no database.
	emergencyMark = "hye-"
	// emergencyTime bounds them: only their end ends them.
	emergencyTime = time.Hour
	// emergencyRounds slow down whoever has such a cookie and guesses ADMIN_TOKEN.
	emergencyRounds = 200_000
)

// emergency lets the holder of ADMIN_TOKEN in while the database is away. Its
// cookies are signed under the token, so that every daemon accepts them, and
// none does when the token was replaced.
type emergency struct{ key func() []byte }

// newEmergency derives the key when it is first needed.
func newEmergency(token secret.String) emergency {
	return emergency{sync.OnceValue(func() []byte {
		key, err := pbkdf2.Key(sha256.New, token.Reveal(), []byte("gateway console session"), emergencyRounds, sha256.Size)
		if err != nil {
			panic("BUG: " + err.Error()) // of lengths that are constant
		}
		return key
	})}
}

// sign returns a cookie that is valid until expires.
func (e emergency) sign(expires time.Time) string {
	text := emergencyMark + strconv.FormatInt(expires.Unix(), 10)
	return text + "." + e.mac(text)
}

// verify reports whether a cookie is valid at now, and until when.
func (e emergency) verify(cookie string, now time.Time) (expires time.Time, ok bool) {
	text, mac, _ := strings.Cut(cookie, ".")
	digits, ok := strings.CutPrefix(text, emergencyMark)
	seconds, err := strconv.ParseInt(digits, 10, 64)
	expires = time.Unix(seconds, 0).UTC()
	if !ok || err != nil || !now.Before(expires) || expires.After(now.Add(emergencyTime+time.Minute)) {
		return time.Time{}, false
	}
	return expires, hmac.Equal([]byte(mac), []byte(e.mac(text)))
}

func (e emergency) mac(text string) string { return bind(string(e.key()), text) }

// bind returns HMAC-SHA256 of text under key in hex.
func bind(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	_, _ = h.Write([]byte(text)) // never fails
	return hex.EncodeToString(h.Sum(nil))
}
