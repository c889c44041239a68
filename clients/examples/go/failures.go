package main

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventsv1 "antiphon.example/converse/stubs/antiphon/events/v1"
)

var (
	// What the server says of itself.
	resumableReasons = []string{"OVERLOADED", "DRAINING", "RATE_LIMITED", "SERVICE_UNAVAILABLE", "STORE_UNAVAILABLE"}
	// What the transport says when a connection breaks.
	resumableCodes = []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Internal, codes.Unknown}
)

func isResumable(code codes.Code, reason string) bool {
	if reason != "" {
		return slices.Contains(resumableReasons, reason)
	}
	return slices.Contains(resumableCodes, code)
}

// ending is why the watch is over.
func ending(ended *eventsv1.WatchEnded) error {
	code := codes.FailedPrecondition // final: access removed, history lost, rejected, cancelled
	switch ended.Reason {
	case eventsv1.CloseReason_CLOSE_REASON_DRAINING, eventsv1.CloseReason_CLOSE_REASON_SLOW_READER:
		code = codes.Unavailable
	case eventsv1.CloseReason_CLOSE_REASON_SESSION_ENDED:
		code = codes.Unauthenticated
	}
	if ended.Error != nil {
		return status.FromProto(ended.Error).Err()
	}
	return status.Error(code, ended.Reason.String())
}
