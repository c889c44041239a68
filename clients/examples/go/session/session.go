// Package session is who is calling: it signs in, keeps a token that works, and tells failures apart.
package session

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	authv1 "antiphon.example/converse/stubs/antiphon/auth/v1"
)

const (
	// CallLimit is how long a unary call may take.
	CallLimit = 10 * time.Second
	// A token is renewed a minute before it expires; a short-lived one at half its life.
	renewalMargin = time.Minute
)

// UNAVAILABLE is retried, of calls whose second arrival changes nothing.
const serviceConfig = `{"methodConfig": [{
	"name": [%s],
	"retryPolicy": {
		"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`

// repeatable names the calls that may be repeated, as the contracts say. Changes need their
// request id for that.
func repeatable() string {
	var names []string
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for s := range file.Services().Len() {
			service := file.Services().Get(s)
			for m := range service.Methods().Len() {
				method := service.Methods().Get(m)
				level := method.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel()
				unary := !method.IsStreamingClient() && !method.IsStreamingServer()
				if unary && level != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN {
					names = append(names, fmt.Sprintf(`{"service": %q, "method": %q}`, service.FullName(), method.Name()))
				}
			}
		}
		return true
	})
	return strings.Join(names, ", ")
}

// Dial connects to ANTIPHON_ADDRESS: host:port, or https://host:port by TLS. Who is calling says the
// environment, too.
func Dial() (*grpc.ClientConn, *Session, error) {
	connection, err := dial(cmp.Or(os.Getenv("ANTIPHON_ADDRESS"), "localhost:7450"))
	return connection, signedInBy(connection), err
}

func dial(address string) (*grpc.ClientConn, error) {
	target, secure := strings.CutPrefix(address, "https://")
	transport := insecure.NewCredentials()
	if secure {
		transport = credentials.NewTLS(nil)
	}
	return grpc.NewClient(strings.TrimPrefix(target, "http://"),
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(fmt.Sprintf(serviceConfig, repeatable())),
		// A connection whose other end has vanished is given up after 30 s.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 2, MaxDelay: time.Second},
			MinConnectTimeout: 5 * time.Second,
		}))
}

// Session is who is calling: it signs in, and keeps a token that works.
type Session struct {
	auth    authv1.AuthServiceClient
	request *authv1.LoginRequest

	lock    sync.Mutex
	tokens  *authv1.TokenPair
	renewAt time.Time
}

// signedInBy reads the credential from the environment.
func signedInBy(connection *grpc.ClientConn) *Session {
	host, _ := os.Hostname()
	request := &authv1.LoginRequest{Device: fmt.Sprintf("go example on %.100s", host)}
	if key := os.Getenv("ANTIPHON_API_KEY"); key != "" {
		request.Credential = &authv1.LoginRequest_ApiKey{ApiKey: &authv1.ApiKeyCredential{ApiKey: key}}
	} else {
		request.Credential = &authv1.LoginRequest_Password{Password: &authv1.PasswordCredential{
			Name: os.Getenv("ANTIPHON_NAME"), Password: os.Getenv("ANTIPHON_PASSWORD"),
		}}
	}
	return &Session{auth: authv1.NewAuthServiceClient(connection), request: request}
}

// Token is an access token that works: by sign-in, or by refreshing the one before.
func (s *Session) Token(ctx context.Context) (string, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.tokens != nil && time.Now().Before(s.renewAt) {
		return s.tokens.AccessToken, nil
	}
	ctx, cancel := context.WithTimeout(ctx, CallLimit)
	defer cancel()
	if s.tokens.GetRefreshToken() == "" { // nor has a program's session one: it signs in again
		response, err := s.auth.Login(ctx, s.request)
		return s.take(response.GetTokens(), err)
	}
	response, err := s.auth.Refresh(ctx, &authv1.RefreshRequest{RefreshToken: s.tokens.RefreshToken})
	return s.take(response.GetTokens(), err)
}

func (s *Session) take(tokens *authv1.TokenPair, err error) (string, error) {
	if err != nil {
		return "", err
	}
	life := time.Until(tokens.AccessExpireTime.AsTime())
	s.tokens, s.renewAt = tokens, time.Now().Add(life-min(renewalMargin, life/2))
	return tokens.AccessToken, nil
}

// RenewIn is how long the token is used before the next one is bought.
func (s *Session) RenewIn() time.Duration {
	s.lock.Lock()
	defer s.lock.Unlock()
	return time.Until(s.renewAt)
}

// Forget is for a token that the server does not accept any more: sign in again.
func (s *Session) Forget() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.tokens = nil
}

// Authorized is a context for calls under this session.
func (s *Session) Authorized(ctx context.Context) (context.Context, error) {
	token, err := s.Token(ctx)
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), err
}
