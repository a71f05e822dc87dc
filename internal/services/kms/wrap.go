package kms

// Wrap encrypts something for another service of larder with an enabled key, given by id, ARN, alias or alias ARN.
func (s *Service) Wrap(id string, plaintext []byte, context map[string]string) ([]byte, error) {
	k, err := s.encryptionKey(&id)
	if err != nil {
		return nil, err
	}
	return s.seal(k, plaintext, context)
}

// Unwrap decrypts what Wrap made in the same context. Its key must be enabled.
func (s *Service) Unwrap(blob []byte, context map[string]string) ([]byte, error) {
	k, err := s.decryptionKey(blob, nil)
	if err != nil {
		return nil, err
	}
	return s.open(k, blob, context)
}
