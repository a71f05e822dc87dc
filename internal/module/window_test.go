package module

import "testing"

func TestWindows(t *testing.T) {
	for s, ok := range map[string]bool{
		"03:00-05:00": true, "23:30-00:30": true, "00:00-23:59": true,
		"": false, "24:00-01:00": false, "03:60-05:00": false, "03:00": false, "03:00-03:00": false,
		"03:00-03:59": false, "03:00-05:00 ": false, "3:00-05:00": false,
	} {
		if problems := dailyWindow(s); (problems == nil) != ok {
			t.Errorf("the daily window %q: %v", s, problems)
		}
	}
	for s, ok := range map[string]bool{
		"sun:05:00-sun:07:00": true, "sat:23:30-sun:00:30": true, "mon:00:00-tue:00:00": true,
		"": false, "05:00-07:00": false, "xxx:05:00-sun:07:00": false, "sun:05:00-sun:05:30": false,
		"sun:05:00-sun:05:00": false, "sun:05:00-tue:05:00": false,
		"SUN:05:00-sun:07:00": false,
	} {
		if problems := weeklyWindow(s); (problems == nil) != ok {
			t.Errorf("the weekly window %q: %v", s, problems)
		}
	}
}
