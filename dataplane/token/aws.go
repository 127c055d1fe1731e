package token

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
)

// awsReread is the life of AWS keys that have no end, as those of variables and
// profiles: a file that was changed is noticed within it.
const awsReread = 15 * time.Minute

// aws finds this machine's AWS credentials by the standard chain: variables, a
// web identity, the shared files, a container's role, an instance's role. They
// are found anew each time, past the library's cache, and take the form of a
// secret: ACCESS_KEY_ID:SECRET_ACCESS_KEY, with :SESSION_TOKEN if temporary.
func aws(region string) fetch {
	return func(ctx context.Context) (string, time.Time, error) {
		c, err := config.LoadDefaultConfig(ctx, config.WithDefaultRegion(region))
		if err != nil {
			return "", time.Time{}, fmt.Errorf("find this machine's AWS credentials: %w", err)
		}
		keys, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return "", time.Time{}, fmt.Errorf("find this machine's AWS credentials: %w", err)
		}
		end := time.Now().Add(awsReread)
		if keys.CanExpire {
			end = keys.Expires
		}
		text := keys.AccessKeyID + ":" + keys.SecretAccessKey
		if keys.SessionToken != "" {
			text += ":" + keys.SessionToken
		}
		return text, end, nil
	}
}
