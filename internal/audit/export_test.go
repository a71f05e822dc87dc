package audit

// For tests.
var (
	IsHidden   = isHidden
	Hidden     = hidden
	DataEvents = dataEvents
	Unkept     = unrecorded
)
