package main

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
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

// described is an error for people: its reason, or its code, and its message.
func described(err error) string {
	failure := status.Convert(err)
	return fmt.Sprintf("%s: %s", cmp.Or(reasonOf(err), failure.Code().String()), failure.Message())
}

// reasonOf is an error's antiphon.errors.v1.ErrorReason, such as "DRAINING"; "" without one.
func reasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "antiphon" {
			return info.Reason
		}
	}
	return ""
}

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
