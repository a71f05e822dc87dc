package store

// Refuse has each transaction that changes something ask why, before it is made durable: an error keeps nothing of it,
// and is the reason in a WriteError, as a disk's that cannot be written is. Nil has none fail. Tests see with it what a
// failure, or the end of the process, leaves behind at any transaction. why may be called from several goroutines, one
// after the other.
func (s *Store) Refuse(why func() error) { s.refuse.Store(&why) }

// refused is why a transaction is not made durable; nil where it is.
func (s *Store) refused() error {
	if why := s.refuse.Load(); why != nil && *why != nil {
		return (*why)()
	}
	return nil
}
