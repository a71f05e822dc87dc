package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/network"
	"larder/internal/store"
)

// made finds what an earlier request with the same client token made; without a token that is nothing. A request that
// asks for something else under the token is refused.
func made[T any](tx *store.Tx, table store.Table[T], token *string, of func(T) string, same func(T) bool) (found T,
	ok bool, err error) {
	given := aws.ToString(token)
	if given == "" {
		return found, false, nil
	}
	rows, err := network.In(tx, table, func(row T) bool { return of(row) == given })
	if err != nil || len(rows) == 0 {
		return found, false, err
	}
	if !same(rows[0]) {
		return found, false, refuse("IdempotentParameterMismatch",
			"The client token %s was used by an earlier request with other parameters.", given)
	}
	return rows[0], true, nil
}
