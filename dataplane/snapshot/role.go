package snapshot

import "fmt"

// Role ranks what a key may use.
type Role uint8

// The roles, each allowed what the ones before it are.
const (
	RoleFree Role = iota
	RolePro
	RoleInternal
	RoleAdmin
)

// RoleOf returns the role of that name.
func RoleOf(name string) (Role, error) {
	switch name {
	case "free", "":
		return RoleFree, nil
	case "pro":
		return RolePro, nil
	case "internal":
		return RoleInternal, nil
	case "admin":
		return RoleAdmin, nil
	}
	return 0, fmt.Errorf("role %q is not one of free, pro, internal, admin", name)
}
