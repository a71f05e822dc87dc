package caller_test

import (
	"context"
	"testing"

	"larder/internal/caller"
)

func TestNames(t *testing.T) {
	user := caller.User("123456789012")
	alarm := caller.Service("cloudwatch.amazonaws.com", "123456789012",
		"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a")
	for _, test := range []struct {
		of                                caller.Caller
		name, userName, userID, inRefusal string
		internal                          bool
	}{
		{user, "arn:aws:iam::123456789012:user/larder", "larder", "AIDAFIZTJHT6MBVIVUXDB",
			"User: arn:aws:iam::123456789012:user/larder", false},
		{alarm, "cloudwatch.amazonaws.com", "", "", "cloudwatch.amazonaws.com", true},
		{caller.Caller{}, "", "", "", "User: ", false},
	} {
		got := []any{test.of.Name(), test.of.UserName(), test.of.UserID(), test.of.String(), test.of.Internal()}
		want := []any{test.name, test.userName, test.userID, test.inRefusal, test.internal}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%+v: got %q, want %q", test.of, got, want)
				break
			}
		}
	}
}

func TestContext(t *testing.T) {
	if got := caller.Of(context.Background()); got != (caller.Caller{}) {
		t.Errorf("without a request %v asks", got)
	}
	user := caller.User("123456789012")
	if got := caller.Of(caller.With(context.Background(), user)); got != user {
		t.Errorf("got %v, want %v", got, user)
	}
}
