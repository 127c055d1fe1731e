package run

// CgroupLimit reads the limit of a system whose root is elsewhere.
var CgroupLimit = cgroupLimit
