package store

// Refuse makes transactions fail for tests. Before a transaction that changed something becomes durable, the store
// calls why. If why returns an error, nothing of the transaction is kept, and Update returns the error in a WriteError,
// as for a disk that cannot be written. nil lets all transactions succeed. why may be called from several goroutines,
// one after the other.
func (s *Store) Refuse(why func() error) { s.refuse.Store(&why) }

// refused returns why a transaction must not be made durable; nil if it may.
func (s *Store) refused() error {
	if why := s.refuse.Load(); why != nil && *why != nil {
		return (*why)()
	}
	return nil
}
