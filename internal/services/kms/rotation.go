package kms

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// The rotation period, in days.
const (
	minPeriod     = 90
	maxPeriod     = 2560
	defaultPeriod = 365
)

// rotation is whether and when a key gets new material by itself.
type rotation struct {
	Enabled bool
	Period  int32 // days
	Next    time.Time
}

func (s *Service) enableKeyRotation(
	ctx context.Context, in *sdk.EnableKeyRotationInput,
) (*sdk.EnableKeyRotationOutput, error) {
	period := int32(defaultPeriod)
	if in.RotationPeriodInDays != nil {
		period = *in.RotationPeriodInDays
	}
	err := s.change(ctx, "EnableKeyRotation", in.KeyId, func(k *key) error {
		if k.Rotation.Enabled && k.Rotation.Period == period {
			return s.usable(*k)
		}
		k.Rotation = rotation{Enabled: true, Period: period, Next: s.Now().Add(time.Duration(period) * day)}
		return s.usable(*k)
	})
	return &sdk.EnableKeyRotationOutput{}, err
}

func (s *Service) disableKeyRotation(
	ctx context.Context, in *sdk.DisableKeyRotationInput,
) (*sdk.DisableKeyRotationOutput, error) {
	err := s.change(ctx, "DisableKeyRotation", in.KeyId, func(k *key) error {
		k.Rotation = rotation{}
		return s.usable(*k)
	})
	return &sdk.DisableKeyRotationOutput{}, err
}

func (s *Service) getKeyRotationStatus(
	ctx context.Context, in *sdk.GetKeyRotationStatusInput,
) (*sdk.GetKeyRotationStatusOutput, error) {
	k, err := s.view(ctx, "GetKeyRotationStatus", in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetKeyRotationStatusOutput{KeyId: new(s.keyARN(k.ID))}
	if !k.Rotation.Enabled || k.State == types.KeyStatePendingDeletion {
		return out, nil
	}
	next, period := k.Rotation.Next, time.Duration(k.Rotation.Period)*day
	if late := s.Now().Sub(next); late >= 0 { // the key is rotated when it is next used
		next = next.Add((late/period + 1) * period)
	}
	out.KeyRotationEnabled, out.RotationPeriodInDays, out.NextRotationDate = true, &k.Rotation.Period, &next
	return out, nil
}

// rotate gives a key new material when that is due, and tells whether it was. Periods in which nobody used the key are
// passed over.
func (s *Service) rotate(k *key) (bool, error) {
	if !s.due(*k) {
		return false, nil
	}
	period := time.Duration(k.Rotation.Period) * day
	last := k.Rotation.Next.Add(s.Now().Sub(k.Rotation.Next) / period * period)
	k.Rotation.Next = last.Add(period)
	return true, s.addMaterial(k, last)
}

func (s *Service) due(k key) bool { return k.Rotation.Enabled && !s.Now().Before(k.Rotation.Next) }
