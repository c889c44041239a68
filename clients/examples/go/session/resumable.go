package session

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var (
	// What the server says of itself.
	resumableReasons = []string{"OVERLOADED", "DRAINING", "RATE_LIMITED", "SERVICE_UNAVAILABLE", "STORE_UNAVAILABLE"}
	// What passes when others have gone, or the network is better.
	passing = []string{"LIMIT_EXCEEDED", "DEADLINE_EXCEEDED"}
	// What the transport says when a connection breaks.
	resumableCodes = []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Internal, codes.Unknown}
)

// isResumable says whether the next stream may do better; who is patient waits for limits, too.
func isResumable(err error, patient bool) bool {
	reason := ReasonOf(err)
	if reason == "" {
		return slices.Contains(resumableCodes, status.Code(err))
	}
	return slices.Contains(resumableReasons, reason) || patient && slices.Contains(passing, reason)
}
