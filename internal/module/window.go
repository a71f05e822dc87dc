package module

import (
	"strings"

	"larder/internal/cache"
)

func dailyWindow(s string) []problem {
	w, ok := cache.ReadSnapshotWindow(s)
	if !ok {
		return bad(s, "is not of the form hh:mm-hh:mm, such as 03:00-05:00 (UTC)")
	}
	return windowLength(s, w)
}

func weeklyWindow(s string) []problem {
	w, ok := cache.ReadMaintenanceWindow(s)
	if !ok || s != strings.ToLower(s) {
		return bad(s, "is not of the form ddd:hh:mm-ddd:hh:mm in lower case, such as sun:05:00-sun:07:00 (UTC)")
	}
	return windowLength(s, w)
}

func windowLength(s string, w cache.Window) []problem {
	switch n := w.Minutes(); {
	case n < cache.MinWindow:
		return bad(s, "is %d minutes long: the least AWS takes is %d minutes", n, cache.MinWindow)
	case n > cache.MaxWindow:
		return bad(s, "is %d minutes long: the most AWS takes is 24 hours (%d minutes)", n, cache.MaxWindow)
	}
	return nil
}
