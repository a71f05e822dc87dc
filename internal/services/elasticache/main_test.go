package elasticache_test

import (
	"testing"

	"larder/internal/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m) }
