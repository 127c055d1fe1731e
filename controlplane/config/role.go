package config

func readRole(v value, m *modelEntry) {
	m.role = v
	v.choice(&m.RequiredRole, "free", "pro", "internal", "admin")
}

func readAdminOnly(v value, m *modelEntry) {
	v.warnf("is deprecated: use required_role: admin")
	v.flag(&m.adminOnly)
}

// settleRole lets the stricter of two contradicting keys win.
func (m *modelEntry) settleRole() {
	if !m.adminOnly {
		return
	}
	if m.role.given() && m.RequiredRole != "admin" {
		m.role.warnf("is overridden by admin_only: only admins can use this model")
	}
	m.RequiredRole = "admin"
}
