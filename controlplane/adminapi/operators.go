package adminapi

import (
	"net/http"
	"time"
)

// The roles of operators. Each may do what the one before may.
const (
	// RoleViewer reads everything but prompts and answers.
	RoleViewer = "viewer"
	// RoleOperator changes traffic: weights, policies and endpoints.
	RoleOperator = "operator"
	// RoleAdmin does everything: keys, teams, releases, operators, contents.
	RoleAdmin = "admin"
)

// Roles lists the roles, the least first.
func Roles() []string { return []string{RoleViewer, RoleOperator, RoleAdmin} }

// ListOperators lists operators.
func ListOperators() Operation[None, []Operator] {
	return get[None, []Operator]("/admin/operators", tagOperators, "Operators by name, revoked ones included").forRole(RoleAdmin)
}

// CreateOperator makes an operator with a token.
func CreateOperator() Operation[OperatorCreation, NewOperator] {
	return post[OperatorCreation, NewOperator]("/admin/operators", tagOperators, "Create an operator; the token is shown only once").created()
}

// RotateOperator replaces an operator's token.
func RotateOperator() Operation[OperatorChange, NewOperator] {
	return post[OperatorChange, NewOperator]("/admin/operators/{id}/rotate", tagOperators, "Replace an operator's token, which ends at once")
}

// RevokeOperator ends an operator's token.
func RevokeOperator() Operation[OperatorChange, Operator] {
	return operation[OperatorChange, Operator](http.MethodDelete, "/admin/operators/{id}", tagOperators, "Revoke an operator's token; repeating it is fine")
}

// WhoAmI says whose token a request has.
func WhoAmI() Operation[None, Identity] {
	return get[None, Identity]("/admin/whoami", tagOperators, "The operator whose token this is")
}

// Operator is a person, or a program, with a token of the admin API.
type Operator struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Role    string     `json:"role" enum:"viewer,operator,admin"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires"`
	Revoked *time.Time `json:"revoked"`
}

// OperatorCreation makes an operator.
type OperatorCreation struct {
	ByAuthor
	Name    string `json:"name" maxlen:"200" doc:"as in the audit log"`
	Role    string `json:"role" doc:"viewer, operator or admin"`
	Expires string `json:"expires,omitempty" doc:"a time such as 2030-01-31T00:00:00Z, a duration such as 720h or 30d, or never; by default never"`
	Reason  string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log"`
}

// OperatorChange changes an operator. ID is an id or a name.
type OperatorChange struct {
	ByID
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log"`
}

// NewOperator is an operator with a new token, which is known here and never again.
type NewOperator struct {
	Token string `json:"token"`
	Operator
}

// Identity is who makes a request.
type Identity struct {
	Name string `json:"name" doc:"empty for ADMIN_TOKEN"`
	Role string `json:"role" enum:"viewer,operator,admin"`
}
