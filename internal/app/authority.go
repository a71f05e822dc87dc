package app

import (
	"fmt"

	"larder/internal/pki"
	"larder/internal/seal"
	"larder/internal/store"
)

// authority opens the local CA.
func (id identity) authority(sealer *seal.Sealer) (*pki.Authority, error) {
	key, err := sealer.Open("identity/ca-key", id.Key)
	if err != nil {
		return nil, fmt.Errorf("%w\nnext: put back the master.key and the larder.db that belong together", err)
	}
	return pki.ParseAuthority(id.Certificate, key)
}

// vouch opens the local CA, and renews its certificate where that ends too soon or the clock says that it is not good
// yet: no client would take a node's certificate then. The key stays, and with it what it has signed.
func (in *installation) vouch(s *store.Store, self identity) (identity, error) {
	had, err := self.authority(in.sealer)
	if err != nil {
		return self, err
	}
	in.authority, err = had.Renewed(in.Now())
	if err != nil || in.authority == had {
		return self, err
	}
	self.Certificate = in.authority.CertificatePEM()
	in.Logger.Warn("the certificate of the local CA is renewed; its key stays. Clients that keep a copy of ca.pem "+
		"need the new one",
		"file", in.Home.AuthorityFile())
	err = s.UpdateReserved(func(tx *store.Tx) error { return identities.Put(tx, "self", self) })
	if noRoom(err) { // the next engine renews it again
		in.Logger.Error("the renewed certificate of the local CA is not kept until there is room", "error", err)
		return self, nil
	}
	return self, err
}
