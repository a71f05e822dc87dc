package audit

// For tests.
var (
	IsHidden   = isHidden
	Hidden     = hidden
	ShownNames = shownNames
	DataEvents = dataEvents
	Unkept     = unrecorded
)
