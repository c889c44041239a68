package session

import (
	"context"
	"log"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// These are not gone when it is tried again.
var final = []string{"CREDENTIALS_INVALID", "HANDLER_NOT_ALLOWED", "INVALID_ARGUMENT"}

// Forever signs in, opens streams by connect one after the other, and returns the error for which
// another try would not help. What connect returns first is how long to wait before the next one.
func Forever(connection *grpc.ClientConn, connect func(ctx context.Context) (time.Duration, error)) error {
	caller := SignedInBy(connection)
	for {
		hold, err := once(caller, connect)
		if slices.Contains(final, ReasonOf(err)) {
			return err
		}
		if status.Code(err) == codes.Unauthenticated {
			caller.Forget()
		}
		log.Printf("%s; trying again", Described(err))
		time.Sleep(hold + 100*time.Millisecond + rand.N(400*time.Millisecond))
	}
}

func once(caller *Session, connect func(ctx context.Context) (time.Duration, error)) (time.Duration, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx, err := caller.Authorized(ctx)
	if err != nil {
		return 0, err
	}
	return connect(ctx)
}
