package catalog

// LogRetentionDays are the days that CloudWatch Logs can keep events for, in order. Source: PutRetentionPolicy in the
// API reference. A log group without one of them keeps events for ever.
func LogRetentionDays() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
		3653}
}
